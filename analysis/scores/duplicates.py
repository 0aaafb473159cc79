"""Finds sentences that occur twice in a data set: exactly, up to case and punctuation, or nearly.

The names mean what they do between training and test, see :mod:`analysis.scores.leakage`. Near duplicates are found
exactly and without comparing all pairs: of two sentences that share 80 % of their trigrams, each must have one in
common with the other among its rarest few (prefix filtering, Chaudhuri et al., ICDE 2006), so only such pairs are
looked at. Copies of one sentence are one there.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from math import ceil
from typing import TYPE_CHECKING

import pandas as pd

from analysis.scores.leakage import EXACT, NEAR, NEAR_DUPLICATE, NORMALISED, normalised, shingles

if TYPE_CHECKING:
    from analysis.run.answers import Answers

COLUMNS = ["sentence_id", "other_id", "language", "what", "similarity", "gold", "image", "text", "other_text"]
SAME, OTHER = "the same", "another"


def find_duplicates(answers: Answers) -> pd.DataFrame:
    """List each sentence that repeats an earlier one, under the strongest name that fits.

    Sentences of different languages are compared as well, and listed under the later one's.

    Returns:
        The columns of ``COLUMNS``, exact ones first, then by similarity; ``gold`` and ``image`` say whether both have
        the same tags, and the same image or none.
    """
    sentences, gold = (answers.table[name].to_pylist() for name in ("words", "gold"))
    ids, languages, images = (answers.sentences[name].tolist() for name in ("sentence_id", "language", "image_id"))
    rows = [
        {
            "sentence_id": ids[later],
            "other_id": ids[earlier],
            "language": languages[later],
            "what": what,
            "similarity": similarity,
            "gold": SAME if gold[later] == gold[earlier] else OTHER,
            "image": SAME if images[later] == images[earlier] else OTHER,
            "text": " ".join(sentences[later]),
            "other_text": " ".join(sentences[earlier]),
        }
        for later, earlier, what, similarity in _pairs(sentences)
    ]
    table = pd.DataFrame(rows, columns=COLUMNS)
    strength = table["what"].map({EXACT: 0, NORMALISED: 1, NEAR: 2})
    ordered = table.assign(strength=strength).sort_values(
        ["strength", "similarity"], ascending=[True, False], kind="stable"
    )
    return ordered.drop(columns="strength").reset_index(drop=True)


def _pairs(sentences: Sequence[Sequence[str]]) -> Iterator[tuple[int, int, str, float]]:
    """Yield the later and the earlier sentence, their relation, and their similarity."""
    first_exact: dict[tuple[str, ...], int] = {}
    first_normal: dict[tuple[str, ...], int] = {}
    for i, words in enumerate(sentences):
        normal = normalised(words)
        if (exact := first_exact.setdefault(tuple(words), i)) != i:
            yield i, exact, EXACT, 1.0
        elif normal and (other := first_normal.setdefault(normal, i)) != i:
            yield i, other, NORMALISED, 1.0
    yield from _near({i: shingles(normal) for normal, i in first_normal.items()})


def _near(sets: dict[int, set[int]]) -> Iterator[tuple[int, int, str, float]]:
    """Yield for each sentence the most similar earlier one, where it is similar enough."""
    frequency = Counter(shingle for found in sets.values() for shingle in found)
    index: dict[int, list[int]] = defaultdict(list)
    for i, mine in sorted(sets.items()):
        rarest = sorted(mine, key=lambda shingle: (frequency[shingle], shingle))
        prefix = rarest[: len(mine) - ceil(NEAR_DUPLICATE * len(mine)) + 1] if mine else []
        best = (0.0, -1)
        for other in {j for shingle in prefix for j in index[shingle]}:
            shared = len(mine & sets[other])
            similarity = shared / (len(mine) + len(sets[other]) - shared)
            if similarity >= NEAR_DUPLICATE:
                best = max(best, (similarity, -other))
        for shingle in prefix:
            index[shingle].append(i)
        if best[0]:
            yield i, -best[1], NEAR, best[0]

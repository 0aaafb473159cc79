"""Counts how much of the test data was in training: sentences, near copies, images, entities.

================ =============================================================================================
exact sentence   the same words
normalised       the same after Unicode NFKC, case folding, and without anything but letters and digits
near duplicate   at least 80 % of the word trigrams of both sentences together are shared (Jaccard), both of
                 eight normalised words or more; exact and normalised copies included
shared image     the same image id
name, same label the surface form of a test entity is a train entity with the same type
name, any label  the same with any type
================ =============================================================================================
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.run.lexicon import NEVER, SEEN_SAME, Lexicon
from mmner_core.labels import tags_to_entities

if TYPE_CHECKING:
    import pandas as pd

    from mmner_core.data import Example

EXACT, NORMALISED, NEAR = "exact sentence", "normalised", "near duplicate"
NEAR_DUPLICATE = 0.8
MIN_WORDS = 8
_SHINGLE = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Leakage:
    """Counts per language, and the pairs behind them.

    Attributes:
        counts: language ("all" first), what, n_leaked, n (test sentences, images or entities), share (None for n = 0).
        pairs: test sentences that training has: test_where, train_where, what, similarity, text.
    """

    counts: pd.DataFrame
    pairs: pd.DataFrame


def find_leakage(train: Iterable[Example], test: Sequence[Example]) -> Leakage:
    """Look up every test sentence, photo and name in training.

    Only the test side is held in memory, so training may be a stream.

    Args:
        train: the training examples.
        test: the examples to report on.
    """
    import pandas as pd

    index = _TestIndex(test)
    train_names: dict[str, set[str]] = {}
    train_images = set()
    for example in train:
        index.look_up(example)
        train_images.add(example.image_id)
        for surface, entity_type in _names(example):
            train_names.setdefault(surface, set()).add(entity_type)
    lexicon = Lexicon(types={surface: frozenset(types) for surface, types in train_names.items()})
    rows = []
    for language in ("all", *sorted({example.language or "" for example in test})):
        chosen = [i for i, e in enumerate(test) if language in ("all", e.language or "")]
        for what, leaked, n in _count(index, test, chosen, train_images, lexicon):
            rows.append(
                {"language": language, "what": what, "n_leaked": leaked, "n": n, "share": leaked / n if n else None}
            )
    counts = pd.DataFrame(rows).astype({"share": "float64"})
    return Leakage(counts=counts, pairs=pd.DataFrame(list(index.pairs(test)), columns=_PAIR_COLUMNS))


_PAIR_COLUMNS = ["test_where", "train_where", "what", "similarity", "text"]


class _TestIndex:
    """The match in training of each test sentence: exact, normalised, or near (the most similar one)."""

    def __init__(self, test: Sequence[Example]) -> None:
        self.exact: dict[int, str] = {}
        self.normalised: dict[int, str] = {}
        self.near: dict[int, tuple[float, str]] = {}
        self._by_words: dict[tuple[str, ...], list[int]] = {}
        self._by_normal: dict[tuple[str, ...], list[int]] = {}
        self._by_shingle: dict[int, list[int]] = {}
        self._n_shingles: dict[int, int] = {}
        for i, example in enumerate(test):
            normal = normalised(example.words)
            self._by_words.setdefault(example.words, []).append(i)
            self._by_normal.setdefault(normal, []).append(i)
            found = shingles(normal)
            self._n_shingles[i] = len(found)
            for shingle in found:
                self._by_shingle.setdefault(shingle, []).append(i)

    def look_up(self, example: Example) -> None:
        """Note which test sentences this training sentence copies."""
        normal = normalised(example.words)
        for i in self._by_words.get(example.words, ()):
            self.exact.setdefault(i, example.where)
        for i in self._by_normal.get(normal, ()) if normal else ():
            self.normalised.setdefault(i, example.where)
        found = shingles(normal)
        shared = Counter(i for shingle in found for i in self._by_shingle.get(shingle, ()))
        for i, n in shared.items():
            similarity = n / (len(found) + self._n_shingles[i] - n)
            if similarity >= NEAR_DUPLICATE and similarity > self.near.get(i, (0.0, ""))[0]:
                self.near[i] = (similarity, example.where)

    def pairs(self, test: Sequence[Example]) -> Iterator[tuple[str, str, str, float, str]]:
        """Yield each leaked test sentence once, under the strongest relation that holds."""
        for i, example in enumerate(test):
            text = " ".join(example.words)
            if i in self.exact:
                yield example.where, self.exact[i], EXACT, 1.0, text
            elif i in self.normalised:
                yield example.where, self.normalised[i], NORMALISED, 1.0, text
            elif i in self.near:
                yield example.where, self.near[i][1], NEAR, self.near[i][0], text


def _count(
    index: _TestIndex, test: Sequence[Example], chosen: Sequence[int], train_images: set[str | None], lexicon: Lexicon
) -> Iterator[tuple[str, int, int]]:
    yield EXACT, sum(i in index.exact for i in chosen), len(chosen)
    yield NORMALISED, sum(i in index.normalised for i in chosen), len(chosen)
    near = sum(i in index.near or i in index.normalised or i in index.exact for i in chosen)
    yield NEAR, near, len(chosen)
    images = {test[i].image_id for i in chosen} - {None}
    yield "shared image", len(images & train_images), len(images)
    names = [name for i in chosen for name in _names(test[i])]
    seen = Counter(lexicon.seen([s for s, _ in names], [t for _, t in names]).tolist())
    yield "name, same label", seen[SEEN_SAME], len(names)
    yield "name, any label", len(names) - seen[NEVER], len(names)


def _names(example: Example) -> Iterator[tuple[str, str]]:
    for entity in tags_to_entities(example.tags or ()):
        yield " ".join(example.words[entity.start : entity.end]), entity.type


def normalised(words: Sequence[str]) -> tuple[str, ...]:
    """Return the words without anything but letters and digits, in one case and form."""
    folded = (unicodedata.normalize("NFKC", word).casefold() for word in words)
    kept = ("".join(c for c in word if c.isalnum()) for word in folded)
    return tuple(word for word in kept if word)


def shingles(normal: Sequence[str]) -> set[int]:
    """Return hashes of the word trigrams of normalised words; none for short sentences, which are alike by chance."""
    if len(normal) < MIN_WORDS:
        return set()
    return {hash(tuple(normal[i : i + _SHINGLE])) for i in range(len(normal) - _SHINGLE + 1)}

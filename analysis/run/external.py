"""Converts another system's output (spaCy, GLiNER, the authors' script...) into a predictions table."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import pyarrow as pa

from analysis.run.schema import COLUMNS, SCHEMA, checked
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from mmner_core.data import Example

# Whether and how the other system used the images is not in its output.
CONDITION = "as given"


def predictions_table(
    gold: Sequence[Example],
    predicted: Sequence[Sequence[str]],
    *,
    condition: str = CONDITION,
    source: str = "",
    kinds: Sequence[str] | None = None,
) -> pa.Table:
    """Put gold examples and predicted tags, in the same order, into rows of :mod:`analysis.run.schema`.

    Args:
        gold: labelled sentences.
        predicted: one IOB2 tag per word of each.
        condition: what to call the image condition.
        source: name of the data set.
        kinds: pairing kind of each sentence, where the data say it.

    Raises:
        InputError: if the numbers of sentences or of tags differ, or a sentence has no gold tags.
    """
    if len(gold) != len(predicted):
        raise InputError(f"There are {len(gold)} gold sentences and {len(predicted)} predicted ones; pair them first.")
    for example, tags in zip(gold, predicted, strict=True):
        if example.tags is None:
            raise InputError(f"{example.where or 'A sentence'} has no gold tags; errors cannot be told from it.")
        if len(tags) != len(example.words):
            raise InputError(f"{example.where}: {len(example.words)} words, but {len(tags)} predicted tags.")
    columns = {
        "sentence_id": range(len(gold)),
        "where": [e.where for e in gold],
        "language": [e.language or "" for e in gold],
        "source": [source] * len(gold),
        "kind": kinds if kinds is not None else [""] * len(gold),
        "words": [list(e.words) for e in gold],
        "gold": [list(e.tags or ()) for e in gold],
        "image_id": [e.image_id or "" for e in gold],
        "image_path": [str(e.image or "") for e in gold],
        "condition": [condition] * len(gold),
        "tags": [list(tags) for tags in predicted],
    }
    schema = pa.schema([SCHEMA.field(name) for name in COLUMNS])
    return checked(pa.table(columns, schema=schema), source or "predictions")


def paired_tags(
    gold: Sequence[Example], predicted: Sequence[Example], converted: Collection[str] = ()
) -> list[tuple[str, ...]]:
    """Return the tags of ``predicted``, after checking sentence by sentence that its words are those of ``gold``.

    An orphan ``I-`` stays one, as the strict score wants it, save in files of which all tags were converted.

    Args:
        gold: labelled sentences.
        predicted: the same sentences with the other system's tags.
        converted: files of ``predicted`` that were in IOB1.

    Raises:
        InputError: if the files are about different sentences; names the first place where they part.
    """
    if len(gold) != len(predicted):
        raise InputError(f"The gold file has {len(gold)} sentences, the predictions have {len(predicted)}.")
    tags = []
    for one, other in zip(gold, predicted, strict=True):
        if not _same(one.words, other.words):
            pairs = enumerate(zip(one.words, other.words, strict=False))
            i = next((i for i, (a, b) in pairs if not _same((a,), (b,))), None)
            what = (
                f"word {i + 1} differs: {one.words[i]!r}, {other.words[i]!r}"
                if i is not None
                else (f"{len(one.words)} and {len(other.words)} words")
            )
            raise InputError(f"{other.where} is not the sentence at {one.where} ({what}); both files need one order.")
        written = other.tags if other.where.rpartition(":")[0] in converted else other.tags_as_written()
        if written is None:
            raise InputError(f"{other.where} has no predicted tags.")
        tags.append(written)
    return tags


def _same(words: Sequence[str], others: Sequence[str]) -> bool:
    """Return whether the words are the same; programs write an empty token as different white space."""
    return words == others or [word.strip() for word in words] == [word.strip() for word in others]

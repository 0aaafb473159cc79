"""The pair table of a data set: how each sentence and its photo belong together (mmwiki's ``pairs.tsv``).

Tab-separated with a header; the rows of each language and split stand in the order of the sentences. Columns ``lang``,
``split`` and ``kind`` are needed; ``id`` (the photo's), ``text_source`` and ``note`` are used where they are there.
"""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmner_core.data import Example
from mmner_core.errors import InputError

_NEEDED = ("lang", "split", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """One row of the table.

    Attributes:
        line: its line in the file.
        kind: "exact-entity", "type-level", "irrelevant", or whatever the table says.
        image_id: the photo, "" where the table does not say.
        source: where the text comes from, "" likewise.
        misleading: whether the note says that an irrelevant photo shows an entity, if not one of the sentence's.
    """

    line: int
    language: str
    split: str
    kind: str
    image_id: str
    source: str
    misleading: bool


def read_pairs(path: str | Path) -> list[Pair]:
    """Read a pair table.

    Raises:
        InputError: if it is missing, no UTF-8, or lacks a column or a cell.
    """
    path = Path(path)
    try:
        with path.open(encoding="utf-8-sig", newline="") as lines:
            reader = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE)
            if missing := [name for name in _NEEDED if name not in (reader.fieldnames or ())]:
                raise InputError(f"{path} lacks the column {missing[0]!r}; a pair table has {', '.join(_NEEDED)}.")
            return [_pair(row, f"{path}:{number}", number) for number, row in enumerate(reader, start=2)]
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 text; --pairs names a tab-separated table.") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}; --pairs names a tab-separated table.") from error


def match_pairs(pairs: Sequence[Pair], examples: Sequence[Example], split: str | None, name: str) -> list[Pair]:
    """Return the row of each sentence.

    Args:
        pairs: the table.
        examples: all sentences of one split, in file order.
        split: which split they are; None: the table has no other.
        name: what the error message calls the table.

    Raises:
        InputError: if the table has another number of rows for a language, or a row is about another photo.
    """
    queues: dict[str, list[Pair]] = defaultdict(list)
    for pair in pairs:
        if split in (None, pair.split):
            queues[pair.language].append(pair)
    counts = Counter(example.language or "" for example in examples)
    for language, count in counts.items():
        if len(queues[language]) != count:
            raise InputError(
                f"{name} has {len(queues[language])} rows for split {split or 'any'} of {language or 'no language'}, "
                f"the data have {count} sentences; give the table of this data set."
            )
    following = {language: iter(queues[language]) for language in counts}
    matched = [next(following[example.language or ""]) for example in examples]
    for pair, example in zip(matched, examples, strict=True):
        if pair.image_id and example.image_id and pair.image_id != example.image_id:
            raise InputError(
                f"{name}:{pair.line} is about photo {pair.image_id}, its sentence at {example.where} has "
                f"{example.image_id}; give the table of this data set."
            )
    return matched


def _pair(row: dict[str, str | None], where: str, line: int) -> Pair:
    if empty := [name for name in _NEEDED if not row[name]]:
        raise InputError(f"{where}: the cell {empty[0]!r} is empty.")
    return Pair(
        line=line,
        language=row["lang"] or "",
        split=row["split"] or "",
        kind=row["kind"] or "",
        image_id=row.get("id") or "",
        source=row.get("text_source") or "",
        misleading=(row.get("note") or "").startswith("misleading"),
    )

"""Corrections of gold tags, kept beside a run in a file of their own; the run itself is never altered.

``corrections.jsonl`` in the run's folder has a line for each: ``sentence_id``, ``words``, ``gold`` (the tags that were
annotated), ``tags`` (what they should be; null withdraws), ``by``, ``at``, ``note``. The last line about a sentence
counts, as long as the run has that sentence with these words and annotated tags.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.run.answers import Answers
from analysis.run.journal import Journal, checked_note, now, texts
from mmner_core.errors import InputError, listed
from mmner_core.labels import OUTSIDE, is_tag, repair, split_tag

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

CORRECTIONS = "corrections.jsonl"
_OF_GOLD = ("gold_span_confidence", "loss")
"""Columns about the annotated tags, which say nothing of corrected ones."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A statement of what the gold tags of a sentence should be, and by whom.

    Attributes:
        sentence_id: the sentence in the run.
        gold: its tags as annotated.
        tags: as they should be, IOB2.
        by: who says so, empty where nobody is logged in.
        at: when, UTC.
        note: why, in a line.
    """

    sentence_id: int
    gold: tuple[str, ...]
    tags: tuple[str, ...]
    by: str
    at: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """The corrections of a run.

    Attributes:
        of: by sentence.
        unfit: how many are about sentences that the run does not have with these words and tags.
    """

    of: dict[int, Correction]
    unfit: int = 0

    def __len__(self) -> int:
        return len(self.of)

    def apply(self, answers: Answers) -> Answers:
        """Return the answers with the corrected gold tags, without the model's numbers for the annotated ones."""
        corrected = [self.of.get(i) for i in answers.sentences["sentence_id"].tolist()]
        if not any(corrected):
            return answers
        table = answers.table.drop_columns([name for name in _OF_GOLD if name in answers.table.column_names])
        gold = [g if c is None else list(c.tags) for c, g in zip(corrected, table["gold"].to_pylist(), strict=True)]
        place = table.schema.get_field_index("gold")
        return Answers.from_table(table.set_column(place, "gold", pa.array(gold, type=table.schema.field(place).type)))


def read_corrections(run: EvaluationRun) -> Corrections:
    """Return the corrections that count; none where there is no file.

    Raises:
        InputError: if the file is damaged, naming the line.
    """
    if run.folder is None:
        return Corrections(of={})
    found: dict[int, tuple[list[str], Correction | None]] = {}
    for where, record in _journal(run).lines():
        number, words, correction = _read(where, record)
        found[number] = (words, correction)
    if not found:
        return Corrections(of={})
    answers = run.answers()
    place = {number: row for row, number in enumerate(answers.sentences["sentence_id"].tolist())}
    fit: dict[int, Correction] = {}
    unfit = 0
    for number, (words, correction) in found.items():
        if correction is None:
            continue
        row = place.get(number)
        if row is None or answers.words_of(row) != words or gold_of(answers, row) != correction.gold:
            unfit += 1
        else:
            fit[number] = correction
    return Corrections(of=dict(sorted(fit.items())), unfit=unfit)


def correct(run: EvaluationRun, sentence_id: int, tags: Sequence[str] | None, *, by: str = "", note: str = "") -> None:
    """Store a correction beside the run.

    Args:
        run: in a folder.
        sentence_id: which sentence.
        tags: what its gold tags should be; None withdraws what was said before.
        by: who says so.
        note: why, in a line.

    Raises:
        InputError: if the run has no such sentence, the tags do not fit it, or the file cannot be written.
    """
    if run.folder is None:
        raise InputError(f"Run {run.name!r} lies in no folder, so nothing can be kept beside it.")
    answers = run.answers()
    rows = answers.sentences["sentence_id"].tolist()
    if sentence_id not in rows:
        raise InputError(f"Run {run.name!r} has no sentence {sentence_id}.")
    row = rows.index(sentence_id)
    words, gold = answers.words_of(row), gold_of(answers, row)
    record = {"sentence_id": sentence_id, "words": words, "gold": list(gold), "tags": None, "by": by, "at": now()}
    if tags is not None:
        record["tags"] = _checked(tags, len(words), types_of_run(run))
        if record["tags"] == record["gold"]:
            raise InputError("These are the tags as annotated; change one, or withdraw the correction.")
    _journal(run).add(record | {"note": checked_note(note)})


def types_of_run(run: EvaluationRun) -> tuple[str, ...]:
    """Return the entity types that gold tags may have: those of the run, its data and its predictions."""
    stated = run.provenance.get("types")
    names = [name for name in stated if isinstance(name, str)] if isinstance(stated, list) else []
    return tuple(dict.fromkeys((*run.answers().gold.types, *names)))


def gold_of(answers: Answers, row: int) -> tuple[str, ...]:
    """Return the annotated tags of the sentence in row ``row``."""
    return tuple(answers.table["gold"][row].as_py())


def _journal(run: EvaluationRun) -> Journal:
    assert run.folder is not None, "whoever asks has seen to it"
    return Journal(run.folder / CORRECTIONS, "sentence_id")


def _checked(tags: Sequence[str], n_words: int, types: Sequence[str]) -> list[str]:
    if len(tags) != n_words or not all(isinstance(tag, str) and is_tag(tag) for tag in tags):
        raise InputError(f"A correction needs one tag for each of the {n_words} words: O, B-TYPE or I-TYPE.")
    if unknown := [tag for tag in tags if tag != OUTSIDE and split_tag(tag)[1] not in types]:
        raise InputError(f"The run knows no type {split_tag(unknown[0])[1]!r}; there are {listed(types)}.")
    return repair(tags)[0]


def _read(where: str, record: Mapping[str, Any]) -> tuple[int, list[str], Correction | None]:
    number = record["sentence_id"]
    words, gold = _texts(record, "words"), _texts(record, "gold")
    withdrawn, tags = record.get("tags") is None, _texts(record, "tags")
    by, at, note = texts(where, record, "by", "at", "note")
    if type(number) is not int or words is None or gold is None or (tags is None and not withdrawn):
        raise InputError(f"{where}: a correction has sentence_id, words, gold and tags. Mend or remove the line.")
    if tags is None:
        return number, words, None
    if len(tags) != len(words) or not all(map(is_tag, tags)):
        raise InputError(f"{where}: a correction needs one IOB2 tag per word. Mend or remove the line.")
    legal = tuple(repair(tags)[0])
    return number, words, Correction(sentence_id=number, gold=tuple(gold), tags=legal, by=by, at=at, note=note)


def _texts(record: Mapping[str, Any], name: str) -> list[str] | None:
    values = record.get(name)
    return values if isinstance(values, list) and all(isinstance(value, str) for value in values) else None

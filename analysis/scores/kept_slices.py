"""Slices that people keep beside a run: named filters of the failure table, with a note.

``slices.jsonl`` in the run's folder has a line for each: ``name``, ``filters`` (column, operator, value), ``language``,
``condition``, ``note``, ``by``, ``at``; ``filters`` null forgets the name. The last line about a name counts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.run.journal import Journal, checked_note, now, texts
from analysis.scores.query import OPERATORS, Filter, select
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.run.folder import EvaluationRun

SLICES = "slices.jsonl"
MAX_NAME, MAX_SLICES = 80, 200


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSlice:
    """A part of the errors that somebody named.

    Attributes:
        name: of the slice.
        filters: of the failure table, all of which hold.
        language: whose errors, "" for all.
        condition: under which condition, "" for the run's first.
        note: a line about it.
        by: who kept it, empty where nobody is logged in.
        at: when, UTC.
    """

    name: str
    filters: tuple[Filter, ...]
    language: str
    condition: str
    note: str
    by: str = ""
    at: str = ""

    def rows(self, failures: pd.DataFrame) -> pd.DataFrame:
        """Return the errors of the slice.

        Raises:
            InputError: if a filter does not fit the table.
        """
        language = (Filter(column="language", operator="is", value=self.language),) if self.language else ()
        return failures.iloc[select(failures, (*self.filters, *language))]


def read_slices(run: EvaluationRun) -> dict[str, KeptSlice]:
    """Return the slices by name, in the order in which they were first kept.

    Raises:
        InputError: if the file is damaged, naming the line.
    """
    if run.folder is None:
        return {}
    found: dict[str, KeptSlice | None] = {}
    for where, record in _journal(run).lines():
        name, kept = _read(where, record)
        found[name] = kept
    return {name: kept for name, kept in found.items() if kept is not None}


def keep_slice(run: EvaluationRun, kept: KeptSlice) -> None:
    """Store a slice, or new content for an existing name.

    Raises:
        InputError: if the name is missing or too long, there are too many, or the file cannot be written.
    """
    name = " ".join(kept.name.split())
    if not name or len(name) > MAX_NAME or not name.isprintable():
        raise InputError(f"A slice needs a name of at most {MAX_NAME} characters.")
    if name not in (known := read_slices(run)) and len(known) >= MAX_SLICES:
        raise InputError(f"{MAX_SLICES} slices are kept already; remove one first.")
    record = {"name": name, "filters": [[f.column, f.operator, f.value] for f in kept.filters]}
    record |= {"language": kept.language, "condition": kept.condition, "note": checked_note(kept.note)}
    _journal(run).add(record | {"by": kept.by, "at": now()})


def forget_slice(run: EvaluationRun, name: str, *, by: str = "") -> None:
    """Remove a slice from the menus; its lines stay in the file.

    Raises:
        InputError: if there is none of that name, or the file cannot be written.
    """
    if name not in read_slices(run):
        raise InputError(f"There is no slice {name!r}.")
    _journal(run).add({"name": name, "filters": None, "by": by, "at": now()})


def filter_words(condition: Filter) -> str:
    """Return a filter in words: "error is missed"."""
    parts = (condition.column.replace("_", " "), condition.operator, str(condition.value or ""))
    return " ".join(filter(None, parts))


def read_filters(rows: Any) -> tuple[Filter, ...]:
    """Read filters from a list of column, operator and value.

    Raises:
        InputError: if it is none, or there is no such operator.
    """
    try:
        found = tuple(Filter(column=str(column), operator=op, value=value) for column, op, value in rows)
    except (ValueError, TypeError) as error:
        raise InputError("Filters are a list of column, operator and value.") from error
    if unknown := [f.operator for f in found if f.operator not in OPERATORS]:
        raise InputError(f"There is no operator {unknown[0]!r}; there are {', '.join(OPERATORS)}.")
    return found


def _journal(run: EvaluationRun) -> Journal:
    if run.folder is None:
        raise InputError(f"Run {run.name!r} lies in no folder, so nothing can be kept beside it.")
    return Journal(run.folder / SLICES, "name")


def _read(where: str, record: Mapping[str, Any]) -> tuple[str, KeptSlice | None]:
    name, language, condition, note, by, at = texts(where, record, "name", "language", "condition", "note", "by", "at")
    if record.get("filters") is None:
        return name, None
    try:
        filters = read_filters(record["filters"])
    except InputError as error:
        raise InputError(f"{where}: {error} Mend or remove the line.") from error
    kept = KeptSlice(name=name, filters=filters, language=language, condition=condition, note=note, by=by, at=at)
    return name, kept

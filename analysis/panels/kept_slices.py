"""The panel of kept slices: the filters of the failure table that people named, with their notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.errors import failures_of
from analysis.panels.panel import Content, only_beside, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted
from analysis.scores.kept_slices import SLICES, KeptSlice, filter_words, read_slices
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun


@panel(
    "kept-slices",
    "Kept slices",
    "Filters of the failure table that somebody kept under a name, with a line about each; 'share' is of all errors "
    "under the same condition and in the same language.",
    chapter="Kept slices",
    height=150,
    variants=lambda chosen: only_beside(chosen.run, SLICES),
)
def kept_slices(run: EvaluationRun) -> Content:
    """List the slices with the number of their errors."""
    found = read_slices(run)
    rows = [{"slice": name, "note": kept.note, **_counts(run, kept)} for name, kept in found.items()]
    notes = () if rows else ("No filter of this run is kept under a name; the failure table is where to do it.",)
    return Content(
        table=pd.DataFrame(rows),
        rule="one row per slice, counted anew whenever it is shown",
        n=f"{counts_of(run.answers())}, {counted(len(found), 'slice')}",
        notes=notes,
    )


def in_words(kept: KeptSlice) -> str:
    """Return the filters of a slice in words; they all hold."""
    return "; ".join(map(filter_words, kept.filters)) or "all errors"


def _counts(run: EvaluationRun, kept: KeptSlice) -> dict[str, object]:
    facts = {"filter": in_words(kept), "language": kept.language or "all", "condition": kept.condition or run.condition}
    facts |= {"by": kept.by, "at": kept.at}
    try:
        failures = failures_of(run, kept.condition or run.condition)
        mine = kept.rows(failures)
    except InputError as error:  # a slice of a condition or column that this run does not have
        return {**facts, "errors": None, "n_sentences": None, "share": None, "problem": str(error)}
    of_language = failures[failures["language"] == kept.language] if kept.language else failures
    share = len(mine) / len(of_language) if len(of_language) else None
    return {**facts, "errors": len(mine), "n_sentences": mine["sentence_id"].nunique(), "share": share}

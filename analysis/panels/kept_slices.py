"""The panel of kept slices: the filters of the failure table that people named, with their notes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.errors import failures_of
from analysis.panels.panel import Content, only_beside, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted
from analysis.scores.kept_slices import SLICES, KeptSlice, filter_words, read_slices
from analysis.scores.metrics import SCORE_DTYPES, Score, score_row
from analysis.scores.slice_score import DescribedEntities, no_score
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

_SCORE = ("f1", "low", "high", "n_gold", "n_predicted")


@panel(
    "kept-slices",
    "Kept slices",
    "Filters of the failure table that somebody kept under a name, with a line about each; 'share' is of all errors "
    "under the same condition and in the same language, F1 is of all entities that the filters fit, right ones too.",
    chapter="Kept slices",
    height=150,
    variants=lambda chosen: only_beside(chosen.run, SLICES),
)
def kept_slices(run: EvaluationRun) -> Content:
    """List the slices with the number of their errors."""
    found = read_slices(run)
    rows = [{"slice": name, "note": kept.note, **_counts(run, kept)} for name, kept in found.items()]
    notes = () if rows else ("No filter of this run is kept under a name; the failure table is where to do it.",)
    table = pd.DataFrame(rows)
    return Content(
        table=table.astype({name: kind for name, kind in SCORE_DTYPES.items() if name in table}),
        rule="one row per slice, counted anew whenever it is shown; F1 strict, interval over sentences",
        n=f"{counts_of(run.answers())}, {counted(len(found), 'slice')}",
        notes=notes,
    )


def slice_in_words(kept: KeptSlice) -> str:
    """Return the filters of a slice in words; they all hold."""
    return "; ".join(map(filter_words, kept.filters)) or "all errors"


def scored(run: EvaluationRun, kept: KeptSlice) -> tuple[Score | None, str]:
    """Return the F1 of a slice, and what to know of it; None where its filters fit errors only.

    Raises:
        InputError: if the run has no such condition or column.
    """
    if why := no_score(kept):
        return None, why
    condition = kept.condition or run.condition
    answers = run.answers(condition)
    entities = run.remember(("described", condition), lambda: DescribedEntities.build(answers, run.lexicon()))
    found = entities.score(kept)
    return found, found.note


def _counts(run: EvaluationRun, kept: KeptSlice) -> dict[str, object]:
    condition = kept.condition or run.condition
    facts: dict[str, object] = {
        "filter": slice_in_words(kept),
        "language": kept.language or "all",
        "condition": condition,
    }
    facts |= {"by": kept.by, "at": kept.at}
    try:
        failures = failures_of(run, condition)
        mine, (score, note) = kept.rows(failures), scored(run, kept)
    except InputError as error:  # a slice of a condition or column that this run does not have
        return {**facts, **dict.fromkeys(("errors", "n_sentences", "share", *_SCORE)), "problem": str(error)}
    of_language = failures[failures["language"] == kept.language] if kept.language else failures
    share = len(mine) / len(of_language) if len(of_language) else None
    facts |= {"errors": len(mine), "n_sentences": mine["sentence_id"].nunique(), "share": share}
    row = dict.fromkeys(_SCORE) if score is None else score_row(score)
    return {**facts, **{name: row[name] for name in _SCORE}, "about_f1": note}

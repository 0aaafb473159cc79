"""The panel that compares two runs on the same sentences: what the other fixed and what it broke."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.panels.panel import Content, panel, shortened
from analysis.panels.wording import counted, language_label, number
from analysis.scores.compare import RunComparison, outcome_table

if TYPE_CHECKING:
    import pandas as pd

    from analysis.run.folder import EvaluationRun

LIMIT = 50


def comparison_of(run: EvaluationRun, other: EvaluationRun) -> RunComparison:
    """Pair the sentences of two runs, once."""
    return run.remember(("comparison", other), lambda: RunComparison.build(run.answers(), other.answers()))


@panel(
    "differences",
    "F1 of the other run minus F1 of this one",
    "An interval that holds 0 means that these sentences do not tell the two runs apart.",
    chapter="Two runs",
)
def differences(run: EvaluationRun, other: EvaluationRun) -> Content:
    """Show the F1 difference per language and type by paired bootstrap."""
    comparison = comparison_of(run, other)
    table = run.remember(("differences", other), comparison.differences)
    mean = comparison.mean_difference()
    interval = mean.interval
    bounds = f" ({number(interval.low, sign=True)} to {number(interval.high, sign=True)})" if interval else ""
    return Content(
        table=table,
        rule="strict; paired bootstrap over sentences",
        n=_counts(comparison),
        notes=(f"Mean over the languages, each weighing the same: {number(mean.difference, sign=True)}{bounds}.",),
    )


@panel(
    "outcomes",
    "Fixed and broken",
    "To the right what the other run gets right and this one does not, to the left the reverse; what both get right or "
    "both get wrong is in the table.",
)
def outcomes(run: EvaluationRun, other: EvaluationRun) -> Content:
    """Show how many entities flipped, per language."""
    from analysis.figures import outcome_bars

    comparison = comparison_of(run, other)
    table = outcome_table(_items(run, other))
    both = table.groupby("language", sort=False, as_index=False)[["fixed", "broken"]].sum()
    parts = [f"{language_label(str(row.language))} {row.fixed} fixed, {row.broken} broken" for row in both.itertuples()]
    return Content(
        table=table,
        figure=outcome_bars(both),
        alternative=f"Bars to both sides of 0: {'; '.join(parts)}.",
        rule="strict; an entity is annotated, or a false alarm that one of the two marked",
        n=_counts(comparison),
    )


@panel("flips", "The flips", "Every entity that one of the two gets right and the other does not.")
def flips(run: EvaluationRun, other: EvaluationRun, limit: int = LIMIT) -> Content:
    """List what was fixed and broken with what both say."""
    comparison = comparison_of(run, other)
    found = run.remember(("flips", other), comparison.flips)
    columns = ["sentence_id", "language", "outcome", "role", "type", "text", "a_says", "b_says"]
    table, notes = shortened(found[columns], limit, "place in the text")
    return Content(
        table=table.rename(columns={"a_says": "this_run_says", "b_says": "other_run_says"}),
        rule="strict",
        n=f"{_counts(comparison)}, {counted(len(found), 'flip')}",
        notes=notes or (() if len(found) else ("The two runs never differ.",)),
    )


def _items(run: EvaluationRun, other: EvaluationRun) -> pd.DataFrame:
    return run.remember(("items", other), comparison_of(run, other).items)


def _counts(comparison: RunComparison) -> str:
    n = f"{counted(len(comparison.a), 'sentence')} in both runs"
    return n + (f", {counted(comparison.left_out, 'sentence')} in one only, left out" if comparison.left_out else "")

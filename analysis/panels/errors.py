"""The panels on error classes: how many errors of each there are, and which to look at first."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.image_effect.modality import TEXT_ONLY
from analysis.panels.panel import Content, panel, shortened
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted, join_with_and, language_label
from analysis.run.lexicon import NEVER
from analysis.scores.failures import failure_table
from analysis.scores.matching import KINDS, match
from analysis.scores.taxonomy import taxonomy_table

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

LIMIT = 25
_SHOWN = (
    "where", "language", "error", "detail", "gold_line", "predicted_line", "gold_probability", "span_probability",
    "loss", "image_text_cosine", "without_image", "seen", "image_id",
)  # fmt: skip


def failures_of(run: EvaluationRun, condition: str | None = None) -> pd.DataFrame:
    """Return the failure table of a condition, made once per run."""

    def compute() -> pd.DataFrame:
        other = run.answers(TEXT_ONLY) if TEXT_ONLY in run.conditions else None
        return failure_table(run.answers(condition), lexicon=run.lexicon(), without=other)

    return run.remember(("failures", condition), compute)


@panel(
    "taxonomy",
    "What goes wrong",
    "Every gold and every predicted entity lands in exactly one class; a bar is the share of each class in its "
    "language, and the table says which way boundaries slip.",
    chapter="Error classes",
)
def taxonomy(run: EvaluationRun, condition: str | None = None) -> Content:
    """Show the error classes per language."""
    from analysis.figures import taxonomy_bars

    answers = run.answers(condition)
    table = taxonomy_table(match(answers.gold, answers.predicted), answers.languages)
    kinds = table.groupby(["language", "kind"], sort=False, as_index=False)[["n_groups", "share"]].sum(min_count=1)
    kinds = kinds.sort_values("kind", key=lambda k: k.map(KINDS.index), kind="stable")
    kinds = kinds.sort_values("language", key=lambda names: names != "all", kind="stable")
    everything = kinds[kinds["language"] == "all"]
    total = int(everything["n_groups"].sum())
    parts = [f"{row.kind} {row.n_groups} ({row.share:.0%})" for row in everything.itertuples()] if total else []
    return Content(
        table=table,
        figure=taxonomy_bars(kinds) if total else None,
        figure_data=kinds,
        alternative=f"Stacked bars of error classes per language. All languages: {join_with_and(parts)}."
        if total
        else "",
        rule="overlap: entities that share a word, directly or through others, are one group",
        n=f"{counts_of(answers)}, {counted(total, 'group')}",
        notes=() if total else ("No gold and no predicted entity in this run.",),
    )


@panel(
    "failures",
    "Errors by class",
    "How sure the model was of each kind of error, how often the name was never seen in training, and how often text "
    "alone had it right.",
    chapter="Failure table",
    height=800,
)
def failure_summary(run: EvaluationRun, condition: str | None = None) -> Content:
    """Count the errors per class and language, with the means of their loss, probability and other numbers."""
    failures = failures_of(run, condition)
    answers = run.answers(condition)
    if failures.empty:
        note = "No error in this run." if len(answers.gold) else "No gold and no predicted entity in this run."
        return Content(table=pd.DataFrame(), rule="one row per error", n=counts_of(answers), notes=(note,))
    rows = []
    for language in ("all", *sorted(failures["language"].cat.categories)):
        of_language = failures if language == "all" else failures[failures["language"] == language]
        for error in KINDS[1:]:
            chosen = of_language[of_language["error"] == error]
            rows.append({"language": language, "error": error, "n": len(chosen)} | _means(chosen))
    table = pd.DataFrame(rows).astype({name: "float64" for name in _means(failures)})
    missing = [name for name in ("span_probability", "never_seen", "right_without_image") if table[name].isna().all()]
    notes = (
        (f"Not known for this run: {join_with_and([name.replace('_', ' ') for name in missing])}.",) if missing else ()
    )
    return Content(table=table, rule="one row per error", n=counts_of(answers), notes=notes)


def _means(failures: pd.DataFrame) -> dict[str, float | None]:
    known_seen = failures["seen"].dropna()
    known_blind = failures["without_image"].dropna()
    return {
        "span_probability": failures["span_probability"].mean(),
        "gold_probability": failures["gold_probability"].mean(),
        "loss": failures["loss"].mean(),
        "never_seen": (known_seen == NEVER).mean() if len(known_seen) else None,
        "right_without_image": (known_blind == "right").mean() if len(known_blind) else None,
    }


@panel(
    "failures-first",
    "Errors to look at first",
    "The sentences that surprise the model most, gold and prediction in one line each with the names in brackets.",
)
def failures_first(run: EvaluationRun, condition: str | None = None, limit: int = LIMIT) -> Content:
    """List the errors with the highest loss, or in the order of the text where the run has none."""
    failures = failures_of(run, condition)
    answers = run.answers(condition)
    by_loss = answers.loss is not None
    if by_loss:
        failures = failures.sort_values("loss", ascending=False, kind="stable")
    table, notes = shortened(failures[list(_SHOWN)], limit, "loss" if by_loss else "place in the text")
    languages = failures["language"].value_counts()
    parts = [f"{language_label(str(name))} {n:,}" for name, n in languages.items() if n]
    counts = f"{counted(len(failures), 'error')}" + (f" ({join_with_and(parts)})" if len(parts) > 1 else "")
    if not len(failures):
        notes = ("No error in this run.",)
    return Content(table=table, rule="one row per error", n=f"{counts_of(answers)}, {counts}", notes=notes)

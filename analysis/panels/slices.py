"""The panels of slices: F1 by attributes of entities and sentences, and the worst slices found by a tree."""

from __future__ import annotations

from textwrap import wrap
from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.panel import Content, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import extremes, number
from analysis.scores.attributes import PHRASES
from analysis.scores.metrics import SCORE_DTYPES, score, score_row
from analysis.scores.slices import SlicedEntities, slice_table, worst_slices

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

ATTRIBUTES = tuple(name for name in PHRASES if name not in ("language", "type"))
MAX_WORST = 10
_LABEL_WIDTH, _HEADING_WIDTH = 30, 22


def sliced_of(run: EvaluationRun, condition: str | None = None) -> SlicedEntities:
    """Return the run's entities with their attributes, described once per run."""
    return run.remember(
        ("sliced", condition), lambda: SlicedEntities.build(run.answers(condition), run.lexicon(), "strict")
    )


@panel(
    "slices",
    "Scores by kind of name and sentence",
    "Each dot is the F1 of the entities that share one property, with its 95 % interval, hollow where they are too few "
    "for one; the dotted line is the F1 of all of them.",
    chapter="Slices",
    height=560,
)
def slices(run: EvaluationRun, condition: str | None = None) -> Content:
    """Show seen and unseen names, lengths, sources and the like, over all languages and within each."""
    from analysis.figures import slice_dots

    answers, sliced = run.answers(condition), sliced_of(run, condition)
    table = run.remember(("slices", condition), lambda: slice_table(sliced, ATTRIBUTES, languages=answers.languages))
    telling = table.groupby("attribute")["value"].transform("nunique") > 1
    table = table.assign(attribute=table["attribute"].map(PHRASES))
    over_all = table[telling & (table["language"] == "all")]
    headings = ["\n".join(wrap(name, _HEADING_WIDTH)) for name in over_all["attribute"]]
    dots = over_all.assign(heading=headings, label=over_all["value"])
    overall = score(sliced.judged.counts(), "strict", resamples=0).f1
    single = sorted(set(table["attribute"]) - set(over_all["attribute"]))
    notes = [f"Has one value only and splits nothing: {', '.join(single)}."] if single else []
    if run.lexicon() is None:
        notes.append("The run was written without training data, so which names were seen in training is not known.")
    return Content(
        table=table,
        figure=slice_dots(dots, overall) if len(dots) else None,
        alternative=f"Dots of F1 per property; F1 of all entities is {number(overall)}. "
        + extremes(dots, "f1", lambda row: f"{row['attribute']} {row['value']}"),
        rule="strict",
        n=counts_of(answers),
        notes=tuple(notes),
    )


@panel(
    "worst-slices",
    "The worst slices, found automatically",
    "A shallow decision tree looked for the groups of entities with the lowest F1 in one half of the sentences; the "
    "scores come from the other half, so they are no artefact of the search.",
)
def worst(run: EvaluationRun, condition: str | None = None, limit: int = MAX_WORST) -> Content:
    """Show the leaves with the lowest F1."""
    from analysis.figures import slice_dots

    answers, sliced = run.answers(condition), sliced_of(run, condition)
    found = run.remember(("worst", condition), lambda: worst_slices(sliced))
    rows = [
        {"slice": s.description, "share": s.share, **score_row(s.score), "n_sentences": len(s.sentences)}
        for s in found[:limit]
    ]
    columns = ["slice", "share", *score_row(score(sliced.judged.counts()[:0], "strict"))]
    table = pd.DataFrame(rows, columns=columns).astype(SCORE_DTYPES)
    if not len(table):
        note = "Too few entities to search for slices and to score them on others."
        return Content(table=table, rule="strict", n=counts_of(answers), notes=(note,))
    labels = ["\n".join(wrap(text, _LABEL_WIDTH)) for text in table["slice"]]
    overall = score(sliced.judged.counts(), "strict", resamples=0).f1
    return Content(
        table=table,
        figure=slice_dots(table.assign(heading="", label=labels), overall),
        alternative=f"Dots of F1 per slice; F1 of all entities is {number(overall)}. "
        + extremes(table, "f1", lambda row: row["slice"]),
        rule="strict, scored on the half of the sentences that was not searched",
        n=counts_of(answers),
    )

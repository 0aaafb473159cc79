"""The panels of scores: per language and type, and under every scoring rule."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.facts import import_notes
from analysis.panels.panel import Content, panel
from analysis.panels.stored import optional_table
from analysis.panels.wording import counted, extremes, language_label, with_interval
from analysis.scores.metrics import RULES, judge, score_table

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun

SHOWN = ("strict", "lenient")


def scores_of(run: EvaluationRun, condition: str | None = None, rule: str = "strict") -> pd.DataFrame:
    """Return the score table of one rule: as stored with the run, else worked out once."""
    stored = optional_table(run, "scores")
    if stored is not None:
        rows = stored[(stored["condition"] == (condition or run.condition)) & (stored["rule"] == rule)]
        if len(rows):
            return rows.drop(columns="condition").reset_index(drop=True)

    def compute() -> pd.DataFrame:
        answers = run.answers(condition)
        return score_table(judge(answers.gold, answers.predicted, rule), answers.languages)

    return run.remember(("scores", condition, rule), compute)


@panel(
    "scores",
    "Scores per language and type",
    "Each bar is the F1 of one entity type, each whisker its 95 % interval when sentences are resampled, which too few "
    "sentences do not give; where the whiskers of two bars overlap widely, the data do not tell them apart.",
    chapter="Scores",
    height=640,
)
def scores(run: EvaluationRun, condition: str | None = None) -> Content:
    """Show strict F1 as bars, and precision, recall and F1, strict and lenient, as a table."""
    from analysis.figures import score_bars

    answers = run.answers(condition)
    table = pd.concat([scores_of(run, condition, rule) for rule in SHOWN], ignore_index=True)
    strict = table[table["rule"] == "strict"]
    overall = strict[(strict["language"] == "all") & (strict["type"] == "all")].iloc[0]
    single = strict[(strict["language"] != "all") & (strict["type"] != "all")]
    return Content(
        table=table,
        figure=score_bars(strict),
        alternative=f"Bars of strict F1 per language and type. All languages and types: {with_interval(overall)}. "
        + extremes(single, "f1", lambda row: f"{language_label(row['language'])} {row['type']}"),
        rule="strict and lenient, per entity; the bars are strict",
        n=counts_of(answers),
        notes=tuple(filter(None, [str(overall["note"]), *import_notes(run.provenance)])),
    )


@panel(
    "rules",
    "One answer, four scoring rules",
    "What strict F1 loses to boundaries and to types: 'exact' ignores the type, 'overlap' asks for the right type and "
    "one shared word only.",
    chapter="Scoring rules",
)
def rules(run: EvaluationRun, condition: str | None = None) -> Content:
    """Show all four rules per language."""
    tables = [scores_of(run, condition, rule) for rule in RULES]
    table = pd.concat([t[t["type"] == "all"] for t in tables], ignore_index=True)
    order = {language: place for place, language in enumerate(tables[0]["language"].unique())}
    table = table.sort_values("language", key=lambda column: column.map(order), kind="stable", ignore_index=True)
    return Content(table=table, rule=", ".join(RULES), n=counts_of(run.answers(condition)))


def counts_of(answers: Answers) -> str:
    """State how many sentences and entities the numbers rest on."""
    return f"{counted(len(answers), 'sentence')}, {counted(len(answers.gold), 'gold entity', 'gold entities')}"

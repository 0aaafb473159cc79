"""The panel on a least confidence: how dropping the entities below it changes precision, recall and F1."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.panel import Content, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted, language_label, number
from analysis.scores.breakdowns import ALL
from analysis.scores.threshold import risk_coverage, threshold_gains, threshold_table
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun

RULE = "an entity is right if span and type are annotated (lenient)"
_READ_OFF = "The best threshold is read off the entities it is scored on, which flatters it: choose yours on others."


@panel(
    "threshold",
    "Entities above a least confidence",
    "To the right more and more doubtful entities are dropped: recall falls, precision rises as far as confidence "
    "tells right from wrong; the dotted line is the F1 of dropping as many at random.",
    chapter="Least confidence",
    height=560,
)
def threshold(
    run: EvaluationRun, entity_type: str | None = None, language: str = ALL, condition: str | None = None
) -> Content:
    """Show the curves of one language, and the numbers of all of them.

    Args:
        run: with the probabilities of a model.
        entity_type: of one type alone; None: of all together.
        language: whose curves, "all" for all.
        condition: image condition, None for the run's first.
    """
    from analysis.figures import threshold_curves

    answers = run.answers(condition)
    if entity_type is not None and entity_type not in answers.gold.types:
        raise InputError(f"Run {run.name!r} has no type {entity_type!r}; it has {', '.join(answers.gold.types)}.")
    table = run.remember(("threshold", entity_type, condition), lambda: _table(answers, entity_type))
    shown = table[table["language"] == language]
    if shown.empty:
        raise InputError(f"Run {run.name!r} has no language {language!r}.")
    if not len(answers.predicted):
        return Content(table=table, rule=RULE, n=counts_of(answers), notes=("The run has no predicted entity.",))
    whose = f"{language_label(language)}, {entity_type or 'all types'}"
    return Content(
        table=table,
        figure=threshold_curves(shown),
        alternative=f"Curves of {whose}. {_at(shown, 0.0)} {_at(shown, 0.5)} {_best(shown)}",
        rule=RULE,
        n=f"{counts_of(answers)}, {counted(len(answers.predicted), 'predicted entity', 'predicted entities')}",
        notes=tuple(filter(None, (_order(answers, entity_type, language, whose), _READ_OFF))),
    )


def _table(answers: Answers, entity_type: str | None) -> pd.DataFrame:
    """Return scores with their intervals, language by language."""
    scores = threshold_table(answers, entity_type=entity_type)
    gains = [
        threshold_gains(answers, entity_type=entity_type, language=language).assign(language=language)
        for language in scores["language"].unique()
    ]
    return scores.merge(pd.concat(gains, ignore_index=True), on=["language", "threshold"], how="left")


def _at(rows: pd.DataFrame, least: float) -> str:
    row = rows[rows["threshold"] == least].iloc[0]
    return (
        f"From {least:.2f} on: precision {number(row['precision'])}, recall {number(row['recall'])}, "
        f"F1 {number(row['f1'])}, {row['kept']:,} of {row['predicted']:,} entities kept."
    )


def _best(rows: pd.DataFrame) -> str:
    known = rows[rows["f1"].notna()]
    if known.empty:
        return "F1 is not defined."
    row = known[known["f1"] == known["f1"].max()].iloc[0]
    interval = ""
    if pd.notna(row["gain_low"]):
        interval = f" ({number(row['gain_low'], sign=True)} to {number(row['gain_high'], sign=True)})"
    gain = f"{number(row['gain'], sign=True)}{interval} beside all entities"
    return f"F1 is highest from {row['threshold']:.2f} on: {number(row['f1'])}, {gain}."


def _order(answers: Answers, entity_type: str | None, language: str, whose: str) -> str:
    """State how well confidence ranks the answers, from the risk-coverage curve."""
    found = risk_coverage(answers, entity_type, language)
    if found is None:
        return ""
    return (
        f"Area under the risk-coverage curve ({whose}, n = {found.n:,}): {number(found.area)}; "
        f"in random order {number(found.at_random)}, in the best order {number(found.at_best)}."
    )

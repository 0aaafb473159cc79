"""Are probabilities of 0.9 right nine times in ten?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.calibration import calibration_table, outcomes, reliability_by_language, rescaled
from analysis.panels.panel import Content, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted, language_name, number
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.runs import Run


@panel(
    "calibration",
    "Calibration of the span probabilities",
    "A dot on the dotted line is as sure as it is right, below the line it is too sure; ECE is the mean distance from "
    "the line, before and after one temperature.",
)
def calibration(run: Run, valid: Run | None = None, language: str = "all", condition: str | None = None) -> Content:
    """Show the reliability diagram of one language, and ECE of all of them.

    Args:
        run: with the probabilities of a model.
        valid: a run over the validation data, to fit the temperature on; without it, each half of the sentences is
            rescaled by the temperature of the other.
        language: whose diagram, "all" for all.
        condition: image condition, None for the run's first.
    """
    from analysis.figures import reliability_diagram

    answers = run.answers(condition)
    fitted_on = valid.answers() if valid is not None else None
    confidence, _ = outcomes(answers)
    after, _, _ = rescaled(answers, fitted_on)
    table = calibration_table(answers, fitted_on)
    if not len(confidence):
        return Content(table=table, rule="lenient", n=counts_of(answers), notes=("The run has no predicted entity.",))
    by_series = {"as given": confidence, "after temperature": after}
    reliabilities = {name: reliability_by_language(answers, p) for name, p in by_series.items()}
    if language not in reliabilities["as given"]:
        raise InputError(f"Run {run.name!r} has no language {language!r}.")
    bins = pd.concat([of[language].bins.assign(series=name) for name, of in reliabilities.items()], ignore_index=True)
    row = table[table["language"] == language].iloc[0]
    return Content(
        table=table.drop(columns="fitted_on"),
        figure=reliability_diagram(bins),
        alternative=f"Reliability diagram, {language_name(language)}: mean probability {number(row['confidence'])}, "
        f"share right {number(row['accuracy'])}; ECE {number(row['ece_before'])} as given, "
        f"{number(row['ece_after'])} after temperature {number(row['temperature'], 2)}.",
        rule="an entity is right if span and type are annotated (lenient)",
        n=f"{counts_of(answers)}, {counted(len(confidence), 'predicted entity', 'predicted entities')}",
        notes=(f"Temperature fitted on {row['fitted_on']}.",),
    )

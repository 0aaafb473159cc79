"""The panel on calibration: are probabilities of 0.9 right nine times in ten?"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.facts import facts_of
from analysis.panels.panel import Content, panel
from analysis.panels.scores import counts_of
from analysis.panels.stored import optional_table, stored_table
from analysis.panels.wording import counted, language_label, number
from analysis.scores.calibration import calibration_table, reliability_by_language, rescaled, span_outcomes
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun

SERIES = {"before": "as given", "after": "after temperature"}


@panel(
    "calibration",
    "Calibration of the span probabilities",
    "A dot on the dotted line is as sure as it is right, below the line it is too sure; ECE is the mean distance from "
    "the line, before and after one temperature.",
    chapter="Calibration",
    height=560,
)
def calibration(
    run: EvaluationRun, valid: EvaluationRun | None = None, language: str = "all", condition: str | None = None
) -> Content:
    """Show the reliability diagram of one language, and ECE of all of them.

    Args:
        run: with the probabilities of a model.
        valid: a run over the validation data, to fit the temperature on; without it the stored temperature counts, and
            without that, each half of the sentences is rescaled by the temperature of the other.
        language: whose diagram, "all" for all.
        condition: image condition, None for the run's first.
    """
    from analysis.figures import reliability_diagram

    answers = run.answers(condition)
    confidence, _ = span_outcomes(answers)
    use_stored = (
        valid is None and condition in (None, run.condition) and optional_table(run, "calibration_bins") is not None
    )
    table, bins = _stored(run) if use_stored else _computed(answers, valid.answers() if valid is not None else None)
    bins = bins[bins["language"] == language]
    if not len(confidence):
        return Content(table=table, rule="lenient", n=counts_of(answers), notes=("The run has no predicted entity.",))
    rows = table[table["language"] == language]
    if rows.empty:
        raise InputError(f"Run {run.name!r} has no language {language!r}.")
    row = rows.iloc[0]
    return Content(
        table=table.drop(columns="fitted_on"),
        figure=reliability_diagram(bins),
        figure_data=bins,
        alternative=f"Reliability diagram, {language_label(language)}: mean probability {number(row['confidence'])}, "
        f"share right {number(row['accuracy'])}; ECE {number(row['ece_before'])} as given, "
        f"{number(row['ece_after'])} after temperature {number(row['temperature'], 2)}.",
        rule="an entity is right if span and type are annotated (lenient)",
        n=f"{counts_of(answers)}, {counted(len(confidence), 'predicted entity', 'predicted entities')}",
        notes=(f"Temperature fitted on {_fitted_on(row['fitted_on'], valid)}.",),
    )


def _fitted_on(what: str, valid: EvaluationRun | None) -> str:
    """Name the run that a temperature was fitted on, where it was one."""
    if valid is None or what.startswith("nothing"):
        return what
    return f"run {valid.name} ({facts_of(valid).split}, {counted(len(valid.answers()), 'sentence')})"


def _stored(run: EvaluationRun) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return table and bins as they were worked out when the run was written, perhaps with validation data."""
    remedy = "write it anew"
    bins = stored_table(run, "calibration_bins", "a reliability diagram", remedy)
    return stored_table(run, "calibration", "a calibration", remedy), bins.assign(series=bins["when"].map(SERIES))


def _computed(answers: Answers, valid: Answers | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    confidence, _ = span_outcomes(answers)
    after, _, _ = rescaled(answers, valid)
    frames = [
        reliability.bins.assign(language=language, series=SERIES[when])
        for when, probabilities in (("before", confidence), ("after", after))
        for language, reliability in reliability_by_language(answers, probabilities).items()
    ]
    return calibration_table(answers, valid), pd.concat(frames, ignore_index=True)

"""The panels on the data: annotation the model firmly disagrees with, and test data that was in training."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.panels.panel import Content, panel, shortened
from analysis.panels.scores import counts_of
from analysis.panels.stored import stored_table
from analysis.panels.wording import counted
from analysis.scores.label_noise import noise_candidates

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

LIMIT = 25


@panel(
    "noise",
    "Where the annotation may be wrong",
    "Places at which the model firmly disagrees with the annotation; a reason to look, not a verdict, for a model that "
    "learnt a wrong habit is sure of it as well.",
    chapter="Data",
)
def noise(run: EvaluationRun, condition: str | None = None, limit: int = LIMIT) -> Content:
    """List the firmest disagreements."""
    answers = run.answers(condition)
    found = run.remember(("noise", condition), lambda: noise_candidates(answers))
    columns = ["sentence_id", "where", "language", "class", "gold", "predicted", "score", "text"]
    table, notes = shortened(found[columns], limit, "firmness")
    if not len(found):
        notes = ("No disagreement scores 0.5 or more.",)
    return Content(
        table=table,
        rule="score = probability of the model's own answer × improbability of the annotated one, at least 0.5",
        n=f"{counts_of(answers)}, {counted(len(found), 'candidate')}",
        notes=notes,
    )


@panel(
    "leakage",
    "Test data that was in training",
    "How many test sentences, photos and names training has as well: the larger a share, the less F1 says about new "
    "text.",
)
def leakage(run: EvaluationRun) -> Content:
    """Show the leakage counts that were made when the run was written."""
    table = stored_table(run, "leakage", "what training shares with the test data", "write it with --train")
    return Content(table=table, rule="see the column 'what'", n=counts_of(run.answers()))

"""The panels on corrected gold tags: what was corrected by whom, and the scores with and without."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.panel import Content, only_beside, panel, shortened
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted
from analysis.run.corrections import CORRECTIONS, Corrections, read_corrections
from analysis.run.wording import bracketed
from analysis.scores.corrected import correction_table

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

LIMIT = 100
_NONE = "Nobody has corrected a gold tag of this run; the inspector of a sentence is where to do it."


@panel(
    "corrected-scores",
    "Scores with and without the corrections",
    "What the corrections of the gold tags change. Who corrects where the model disagrees, and sees what it says, "
    "moves the score in its favour; so this is no score on better data unless all sentences were looked at alike.",
    chapter="Corrections",
    height=150,
    variants=lambda chosen: only_beside(chosen.run, CORRECTIONS),
)
def corrected_scores(run: EvaluationRun, condition: str | None = None) -> Content:
    """Show F1 on the tags as annotated and as corrected, per language and type."""
    corrections, answers = read_corrections(run), run.answers(condition)
    if not len(corrections):
        return Content(table=pd.DataFrame(), rule="strict", n=counts_of(answers), notes=_notes(corrections))
    table = correction_table(answers, corrections)
    return Content(
        table=table[(table["n_corrected"] > 0) | (table["language"] == "all")].drop(columns="rule"),
        rule="strict, the same predictions against both; difference by paired bootstrap over sentences",
        n=f"{counts_of(answers)}, {counted(len(corrections), 'corrected sentence')}",
        notes=_notes(corrections),
    )


@panel(
    "corrections",
    "Corrected gold tags",
    "Gold as annotated, as corrected, and what is predicted, with the entities in brackets; the run itself is as it "
    "was.",
    height=150,
    variants=lambda chosen: only_beside(chosen.run, CORRECTIONS),
)
def corrections(run: EvaluationRun, condition: str | None = None, limit: int = LIMIT) -> Content:
    """List the corrections, the latest first."""
    found, answers = read_corrections(run), run.answers(condition)
    changed = found.apply(answers)
    words = answers.table["words"]
    sides = {"annotated": answers.gold, "corrected": changed.gold, "predicted": answers.predicted}
    lines = {name: bracketed(words, spans) for name, spans in sides.items()}
    rows = [
        {
            "sentence_id": number,
            "language": answers.sentences["language"].iloc[row],
            **{name: texts[row].as_py() for name, texts in lines.items()},
            "note": found.of[number].note,
            "by": found.of[number].by,
            "at": found.of[number].at,
        }
        for row, number in enumerate(answers.sentences["sentence_id"].tolist())
        if number in found.of
    ]
    table = pd.DataFrame(rows).sort_values("at", ascending=False, kind="stable") if rows else pd.DataFrame()
    table, notes = shortened(table, limit, "time")
    return Content(
        table=table.reset_index(drop=True),
        rule="the last correction of a sentence counts; the file beside the run has all of them",
        n=f"{counts_of(answers)}, {counted(len(found), 'corrected sentence')}",
        notes=(*notes, *_notes(found)),
    )


def _notes(found: Corrections) -> tuple[str, ...]:
    notes = [] if len(found) else [_NONE]
    if found.unfit:
        notes.append(
            f"{counted(found.unfit, 'correction')} left out: the run does not have these sentences with the words and "
            "tags that were corrected."
        )
    return tuple(notes)

"""The panels on the data: annotation that the model firmly disagrees with, duplicates, and training overlap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.panel import Content, panel, shortened
from analysis.panels.scores import counts_of
from analysis.panels.stored import optional_table, stored_table
from analysis.panels.wording import counted
from analysis.scores.duplicates import OTHER, find_duplicates
from analysis.scores.label_noise import noise_candidates
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

LIMIT, PAIRS_LIMIT = 25, 200
_ALIKE = "exact words, the same but for case and signs, or at least 80 % of the word trigrams shared"
_PAIR = ["what", "similarity", "text", "test_where", "train_where"]


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


@panel(
    "leaking-pairs",
    "The sentences that training has",
    "Each test sentence that training has as well, exactly or nearly, and where; leave them out, or report scores with "
    "and without them.",
)
def leaking_pairs(run: EvaluationRun, limit: int = PAIRS_LIMIT) -> Content:
    """List the pairs behind the leakage counts that were stored with the run."""
    stored_table(run, "leakage", "what training shares with the test data", "write it with --train")
    n, found = counts_of(run.answers()), optional_table(run, "leakage_pairs")
    if found is None:
        known = "leakage_pairs" in run.metrics
        note = (
            "No test sentence is in training." if known else "The run does not say which; write it anew with --train."
        )
        return Content(table=pd.DataFrame(), rule=_ALIKE, n=n, notes=(note,))
    if missing := [name for name in _PAIR if name not in found.columns]:
        raise InputError(f"metrics.json of run {run.name!r}: leakage_pairs lacks {missing[0]!r}; write the run anew.")
    answers = run.answers()
    ids = dict(zip(answers.table["where"].to_pylist(), answers.sentences["sentence_id"].tolist(), strict=True))
    places = found["test_where"].map(ids)
    found = found[_PAIR].assign(**{name: found[name].map(run.written) for name in ("test_where", "train_where")})
    if places.notna().all():
        found.insert(0, "sentence_id", places.astype(int))
    table, notes = shortened(found, limit, "place in the text")
    return Content(table=table, rule=_ALIKE, n=f"{n}, {counted(len(found), 'pair')}", notes=notes)


@panel(
    "duplicates",
    "Sentences that stand in the data twice",
    "Each sentence that repeats an earlier one, exactly or nearly: it counts twice in every score, and the interval "
    "takes it for new evidence. In minimal pairs the same words with other tags and another image are meant to be so.",
)
def duplicates(run: EvaluationRun, limit: int = PAIRS_LIMIT) -> Content:
    """List the repeated sentences of the split, and count them per language."""
    answers = run.answers()
    found = run.remember("duplicates", lambda: find_duplicates(answers))
    table, notes = shortened(found, limit, "kind and similarity")
    again = found[(found["gold"] == OTHER) & (found["image"] != OTHER)]
    kinds = ", ".join(f"{n} {what}" for what, n in found["what"].value_counts(sort=False).items())
    said = f"{kinds}; {counted(len(again), 'of them has', 'of them have')} other tags beside the same image."
    return Content(
        table=table,
        rule=_ALIKE,
        n=f"{counts_of(answers)}, {counted(found['sentence_id'].nunique(), 'repeated one')}",
        notes=(said, *notes) if len(found) else ("No sentence repeats another.",),
    )

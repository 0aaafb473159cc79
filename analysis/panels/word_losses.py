"""The panels of losses: which words and which types are systematically badly predicted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.panels.facts import probability_of
from analysis.panels.panel import Content, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted, number
from analysis.scores.word_losses import MIN_COUNT, label_losses, word_losses, worst_words

if TYPE_CHECKING:
    import pandas as pd

    from analysis.run.folder import EvaluationRun

LIMIT = 25
_RULE = "loss of a word: negative logarithm of the probability of what is annotated there, in nats; {}"


def losses_of(run: EvaluationRun, condition: str | None = None) -> pd.DataFrame:
    """Return the losses of all words, worked out once per run."""
    return run.remember(("word losses", condition), lambda: word_losses(run.answers(condition)))


@panel(
    "worst-words",
    "The worst words",
    f"Words that occur {MIN_COUNT} times or more, by their mean loss; a high one with many wrong tags is a habit of "
    "the model or of the annotation, and the number of the sentence opens the worst occurrence.",
    chapter="Worst words",
)
def worst(run: EvaluationRun, condition: str | None = None, limit: int = LIMIT) -> Content:
    """List the words with the highest mean loss, in each language."""
    losses = losses_of(run, condition)
    table = run.remember(("worst words", condition, limit), lambda: worst_words(losses, limit=limit))
    inside = losses["gold"] != "O"
    notes = [
        f"For comparison: the mean is {number(losses['loss'].mean())} over all words, {number(losses['wrong'].mean())} "
        f"of which are wrong, and {number(losses.loc[inside, 'loss'].mean())} over those in annotated entities."
    ]
    if table.empty:
        notes.append(f"No word with any loss occurs {MIN_COUNT} times.")
    return Content(
        table=table,
        rule=_RULE.format(probability_of(run.provenance)),
        n=f"{counts_of(run.answers(condition))}, {counted(len(losses), 'word')}",
        notes=tuple(notes),
    )


@panel(
    "label-losses",
    "Losses by type",
    "The mean loss of the words of each annotated type, and of those outside entities (O), highest first.",
)
def labels(run: EvaluationRun, condition: str | None = None) -> Content:
    """Average the losses per language and annotated type."""
    losses = losses_of(run, condition)
    return Content(
        table=run.remember(("label losses", condition), lambda: label_losses(losses)).reset_index(drop=True),
        rule=_RULE.format(probability_of(run.provenance)),
        n=f"{counts_of(run.answers(condition))}, {counted(len(losses), 'word')}",
    )

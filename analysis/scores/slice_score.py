"""The F1 of a kept slice: of all entities that its filters fit, right ones too; the failure table has errors only.

Some filters fit an entity whether or not it is right: facts about its sentence, how training knows it, its type, text
and place. Others look at the outcome, such as the class of an error or a probability. What these leave was chosen by
being wrong, so an F1 of it means nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.lexicon import Lexicon
from analysis.run.spans import Spans
from analysis.scores.failures import sentence_columns
from analysis.scores.kept_slices import KeptSlice, filter_words
from analysis.scores.metrics import Judged, Score, judge, score

SIDES = ("gold", "predicted")
_OWN = ("type", "text", "start", "end")
"""Facts about an entity; the failure table has them of both sides."""
_SHARED = (
    "sentence_id", "where", "language", "source", "pair_kind", "text", "image_id", "image_path", "loss",
    "image_text_cosine", "seen",
)  # fmt: skip
"""The other columns that fit right and wrong entities alike."""


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class DescribedEntities:
    """Gold and predicted entities with the columns of the failure table that fit right and wrong ones alike.

    Attributes:
        judged: right or not, under the rule strict.
        gold, predicted: a row for each counted entity; ``gold_type`` and ``predicted_type`` are both its own type, and
            so with text, start and end, so that either fits the same entities.
    """

    judged: Judged
    gold: pd.DataFrame
    predicted: pd.DataFrame

    @classmethod
    def build(cls, answers: Answers, lexicon: Lexicon | None = None) -> DescribedEntities:
        """Judge and describe the entities of an image condition."""
        judged = judge(answers.gold, answers.predicted, "strict")
        gold, predicted = (_described(answers, spans, lexicon) for spans in (judged.gold, judged.predicted))
        return cls(judged=judged, gold=gold, predicted=predicted)

    def score(self, kept: KeptSlice) -> Score:
        """Score the entities that a slice's filters fit.

        Raises:
            InputError: if a filter does not fit the table.
        """
        masks = []
        for table in (self.gold, self.predicted):
            mask = np.zeros(len(table), dtype=bool)
            mask[kept.rows(table).index] = True
            masks.append(mask)
        return score(self.judged.counts(*masks), self.judged.rule)


def no_score(kept: KeptSlice) -> str:
    """Say why a slice has no F1, "" if it has one."""
    sides = {side for one in kept.filters for side in SIDES if one.column in _of_side(side)}
    if len(sides) > 1:
        return "no F1: gold and prediction are both chosen"
    fitting = {name for side in SIDES for name in _of_side(side)} | set(_SHARED)
    chosen = [filter_words(one) for one in kept.filters if one.column not in fitting]
    return f"no F1: “{chosen[0]}” fits errors only" if chosen else ""


def _of_side(side: str) -> tuple[str, ...]:
    return tuple(f"{side}_{name}" for name in _OWN)


def _described(answers: Answers, spans: Spans, lexicon: Lexicon | None) -> pd.DataFrame:
    texts, types = spans.texts(answers.words), spans.type_names()
    seen = [None] * len(spans) if lexicon is None else lexicon.seen(texts, types)
    own = {"type": types, "text": texts, "start": spans.start, "end": spans.end}
    return pd.DataFrame(
        sentence_columns(answers, spans.sentence)
        | {"seen": pd.Series(seen, dtype="str")}
        | {f"{side}_{name}": values for side in SIDES for name, values in own.items()}
    )

"""Finds annotation that may be wrong, because the model firmly disagrees with it.

Each error group of :mod:`analysis.scores.matching` is a candidate. Its score is the probability of the model's own
answer times the improbability of the annotated one, confidence * (1 - gold_probability), from 0 to 1:

========== ============================================ ==============================================
class      confidence: in the model's own answer        gold_probability: of what is annotated
========== ============================================ ==============================================
missed     that the gold entity is none: 1 - p(gold)    p(gold entity)
spurious   p(predicted entity)                          that there is none: 1 - p(predicted)
all others p(predicted entity), the least of a group    p(gold entity), the greatest of a group
========== ============================================ ==============================================

A candidate is a reason to look, not a verdict: a model can be sure of a systematic error as well. The model
must not have been trained on the sentences it judges.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.wording import entity_names, name_groups
from analysis.scores.matching import CORRECT, DETAILS, KINDS, MISSED, SPURIOUS, match


def noise_candidates(answers: Answers, *, min_score: float = 0.5, limit: int | None = None) -> pd.DataFrame:
    """Rank the disagreements, firmest first.

    Args:
        answers: sentences with model columns.
        min_score: least score to be listed.
        limit: how many to list; None for all.

    Returns:
        sentence (row number), sentence_id, where, language, class, detail, gold, predicted (type and text, or
        "nothing"), confidence, gold_probability, score, text.

    Raises:
        InputError: if the run holds no probabilities.
    """
    confidence, gold_confidence = answers.require("confidence"), answers.require("gold_confidence")
    matches = match(answers.gold, answers.predicted)
    own = per_group(np.minimum, confidence, matches.predicted_rows)
    gold = per_group(np.maximum, gold_confidence, matches.gold_rows)
    own = np.where(matches.kind == MISSED, 1 - gold, own)
    gold = np.where(matches.kind == SPURIOUS, 1 - own, gold)
    score = np.where(matches.kind == CORRECT, -1.0, own * (1 - gold))
    order = np.argsort(-score, kind="stable")
    order = order[score[order] >= max(min_score, 0.0)][:limit]
    sentences = answers.sentences.iloc[matches.sentence[order]]
    texts = answers.texts()
    return pd.DataFrame(
        {
            "sentence": matches.sentence[order],
            "sentence_id": sentences["sentence_id"].to_numpy(),
            "where": sentences["where"].to_numpy(dtype=object),
            "language": sentences["language"].to_numpy(dtype=object),
            "class": [KINDS[k] for k in matches.kind[order]],
            "detail": [DETAILS[d] for d in matches.detail[order]],
            "gold": name_groups(entity_names(answers.gold, answers.words), matches.gold_rows[order]),
            "predicted": name_groups(entity_names(answers.predicted, answers.words), matches.predicted_rows[order]),
            "confidence": own[order],
            "gold_probability": gold[order],
            "score": score[order],
            "text": [texts[i] for i in matches.sentence[order]],
        }
    )


def per_group(reduce: np.ufunc, values: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Return [G] the values of each group's entities, reduced to one; NaN for a group without entities.

    Args:
        reduce: ``np.minimum`` or ``np.maximum``.
        values: [N] one value per entity.
        rows: [G, 2] from :class:`analysis.scores.matching.Matches`.
    """
    result = np.full(len(rows), np.nan)
    filled = rows[:, 1] > rows[:, 0]
    if filled.any():
        # The groups' ranges are contiguous, so the starts of the filled ones cut the values into those groups.
        result[filled] = reduce.reduceat(values, rows[filled, 0])
    return result

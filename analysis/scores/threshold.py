"""Scores under a least confidence: precision, recall and F1 of the entities at or above it.

Followed along the thresholds this is a risk-coverage curve (El-Yaniv & Wiener, JMLR 2010): coverage is the share of the
predicted entities that are kept, risk the share of those that is wrong, 1 - precision. The baseline is to drop as many
entities at random: precision stays where it is, and recall falls as coverage does.

Alphabet: N predicted entities, S sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.spans import Spans
from analysis.scores.bootstrap import f1_difference, f1_interval
from analysis.scores.breakdowns import ALL, by_part
from analysis.scores.calibration import span_outcomes, wilson

THRESHOLDS = tuple(i / 20 for i in range(20))
_NUMBERS = ("coverage", "precision", "precision_low", "precision_high", "recall", "f1", "f1_at_random")


@dataclass(frozen=True, slots=True, kw_only=True)
class RiskCoverage:
    """The area under the risk-coverage curve: the mean risk over all coverages, small if confidence ranks well.

    Attributes:
        area: of the model's own order, most confident first; equally confident entities share their mean risk.
        at_random: of a random order: the share of wrong entities.
        at_best: of an order that puts every right entity before every wrong one.
        n: entities.
    """

    area: float
    at_random: float
    at_best: float
    n: int


def threshold_table(
    answers: Answers, thresholds: Sequence[float] = THRESHOLDS, entity_type: str | None = None
) -> pd.DataFrame:
    """Score the entities at or above each threshold, per language; right means span and type (lenient).

    Args:
        answers: with probabilities.
        thresholds: least confidences, 0 to 1.
        entity_type: of one type alone; None: of all together.

    Returns:
        One row per language ("all" first) and threshold: language, type, threshold, kept, right, predicted, gold,
        coverage, precision with its Wilson interval, recall, f1, and f1_at_random, expected if as many entities were
        kept at random. What is not defined is missing.

    Raises:
        InputError: if the run holds no probabilities.
    """
    confidence, right = span_outcomes(answers)
    of_gold, of_predicted = _of_type(answers.gold, entity_type), _of_type(answers.predicted, entity_type)
    rows = []
    for language, sentences in by_part(answers.languages, unnamed=True):
        mine = of_predicted & sentences[answers.predicted.sentence]
        n_gold = int((of_gold & sentences[answers.gold.sentence]).sum())
        n_right = int(right[mine].sum())
        for threshold in thresholds:
            kept = mine & (confidence >= _stored(threshold))
            counts = {"kept": int(kept.sum()), "right": int(right[kept].sum()), "predicted": int(mine.sum())}
            named = {"language": language, "type": entity_type or ALL, "threshold": threshold}
            rows.append(named | counts | {"gold": n_gold} | _scores(**counts, gold=n_gold, right_of_all=n_right))
    return pd.DataFrame(rows).astype(dict.fromkeys(_NUMBERS, "float64"))


def threshold_gains(
    answers: Answers,
    thresholds: Sequence[float] = THRESHOLDS,
    entity_type: str | None = None,
    language: str = ALL,
) -> pd.DataFrame:
    """Return the interval of F1 at each threshold, and F1 there minus F1 of all entities, by paired bootstrap.

    Returns:
        threshold, low, high (of F1), gain, gain_low, gain_high; missing where too few sentences have an entity.

    Raises:
        InputError: if the run holds no probabilities.
    """
    confidence, right = span_outcomes(answers)
    of_gold, of_predicted = _of_type(answers.gold, entity_type), _of_type(answers.predicted, entity_type)
    sentences = answers.languages == language if language != ALL else np.ones(len(answers), dtype=bool)

    def counts(kept: np.ndarray) -> np.ndarray:  # [N] bool -> [S, 3] correct, predicted, gold
        masks = ((answers.predicted, kept & right), (answers.predicted, kept), (answers.gold, of_gold))
        columns = [np.bincount(side.sentence[mask], minlength=len(answers)) for side, mask in masks]
        return np.stack(columns, axis=1)[sentences]

    everything = counts(of_predicted)
    rows = []
    for threshold in thresholds:
        here = counts(of_predicted & (confidence >= _stored(threshold)))
        interval, gained = f1_interval(here), f1_difference(everything, here)
        row = {"threshold": threshold, "gain": gained.difference}
        for prefix, found in (("", interval), ("gain_", gained.interval)):
            row |= {f"{prefix}low": found.low if found else None, f"{prefix}high": found.high if found else None}
        rows.append(row)
    return pd.DataFrame(rows, columns=["threshold", "low", "high", "gain", "gain_low", "gain_high"]).astype("float64")


def risk_coverage(answers: Answers, entity_type: str | None = None, language: str = ALL) -> RiskCoverage | None:
    """Return the area under the risk-coverage curve beside those of a random and of the best order; None without names.

    Raises:
        InputError: if the run holds no probabilities.
    """
    confidence, right = span_outcomes(answers)
    mine = _of_type(answers.predicted, entity_type)
    if language != ALL:
        mine &= (answers.languages == language)[answers.predicted.sentence]
    if not mine.any():
        return None
    wrong = 1.0 - right[mine]
    return RiskCoverage(
        area=_area(confidence[mine], wrong), at_random=float(wrong.mean()), at_best=_area(-wrong, wrong), n=len(wrong)
    )


def _stored(threshold: float) -> float:
    """Return the threshold at a run's precision; otherwise an entity of exactly that confidence would fall below it."""
    return float(np.float32(threshold))


def _of_type(spans: Spans, entity_type: str | None) -> np.ndarray:
    """Return [N] whether each entity is of a type; all false for a type that does not occur."""
    if entity_type is None:
        return np.ones(len(spans), dtype=bool)
    return spans.type == (spans.types.index(entity_type) if entity_type in spans.types else -1)


def _scores(kept: int, right: int, predicted: int, gold: int, right_of_all: int) -> dict[str, float | None]:
    low, high = wilson(np.array([right]), np.array([kept]))
    expected = right_of_all * kept / predicted if predicted else 0.0
    return {
        "coverage": kept / predicted if predicted else None,
        "precision": right / kept if kept else None,
        "precision_low": float(low[0]),
        "precision_high": float(high[0]),
        "recall": right / gold if gold else None,
        "f1": 2 * right / (kept + gold) if kept + gold else None,
        "f1_at_random": 2 * expected / (kept + gold) if kept + gold else None,
    }


def _area(order: np.ndarray, wrong: np.ndarray) -> float:
    """Return the mean over k of the share of errors among the first k, most confident first; ties share their mean."""
    _, place, sizes = np.unique(-order, return_inverse=True, return_counts=True)
    risk = (np.bincount(place, weights=wrong) / sizes)[np.sort(place)]
    return float((np.cumsum(risk) / np.arange(1, len(risk) + 1)).mean())

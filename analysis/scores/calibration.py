"""Calibration of probabilities: reliability bins, expected calibration error, and a fitted temperature.

The probability is the exact CRF probability of span and type together; the outcome is whether that very entity is
annotated. The temperature acts on this number alone, p -> sigmoid(logit(p) / T), and is fitted by negative
log-likelihood (Guo et al. 2017 scale the logits of a classifier; a CRF's span probability has no such vector, so
this is their method applied to the binary question "is this entity right?"). It changes no answer, only the stated
confidence.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.scores.metrics import judge

N_BINS = 10
MIN_ENTITIES = 30
# Stored as float32: closer to 0 or 1 than this is rounding, and its logit would outweigh all others.
_EPSILON = 1e-6
_LOG_TEMPERATURE_BOUNDS = (-3.0, 3.0)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Reliability:
    """How well probabilities agree with outcomes.

    Attributes:
        bins: low, high (bounds of the probability), n, confidence (mean), accuracy, accuracy_low, accuracy_high
            (95 % Wilson interval); the last four are NaN in an empty bin.
        n: predicted entities.
        ece: expected calibration error: mean over entities of their bin's |confidence - accuracy|; None for n = 0.
        nll: negative log-likelihood of the outcomes, nats per entity; None for n = 0.
        accuracy: share of right entities, which is the precision; None for n = 0.
        confidence: mean probability; None for n = 0.
    """

    bins: pd.DataFrame
    n: int
    ece: float | None
    nll: float | None
    accuracy: float | None
    confidence: float | None


def span_outcomes(answers: Answers) -> tuple[np.ndarray, np.ndarray]:
    """Return [N] probability of each predicted entity and whether it is right.

    Raises:
        InputError: if the run holds no probabilities.
    """
    return answers.require("confidence"), judge(answers.gold, answers.predicted, "lenient").predicted_right


def reliability(confidence: np.ndarray, right: np.ndarray, *, n_bins: int = N_BINS) -> Reliability:
    """Sort entities into bins of equal width.

    Args:
        confidence: [N] probabilities.
        right: [N] outcomes.
        n_bins: bins of [0, 1]; the upper bound belongs to the bin.
    """
    edges = np.linspace(0, 1, n_bins + 1)
    place = np.clip(np.searchsorted(edges, confidence) - 1, 0, n_bins - 1)
    n = np.bincount(place, minlength=n_bins)
    sums = np.bincount(place, weights=confidence, minlength=n_bins)
    hits = np.bincount(place, weights=right, minlength=n_bins)
    with np.errstate(invalid="ignore"):
        mean, accuracy = sums / n, hits / n
    low, high = wilson(hits, n)
    bins = pd.DataFrame(
        {
            "low": edges[:-1],
            "high": edges[1:],
            "n": n,
            "confidence": mean,
            "accuracy": accuracy,
            "accuracy_low": low,
            "accuracy_high": high,
        }
    )
    total = len(confidence)
    return Reliability(
        bins=bins,
        n=total,
        ece=float(np.abs(sums - hits).sum() / total) if total else None,
        nll=_nll(confidence, right) if total else None,
        accuracy=float(hits.sum() / total) if total else None,
        confidence=float(sums.sum() / total) if total else None,
    )


def reliability_by_language(answers: Answers, confidence: np.ndarray) -> dict[str, Reliability]:
    """Return the reliability over all languages ("all" first) and within each.

    Args:
        answers: the predicted entities and their outcomes.
        confidence: [N] their probabilities, as the model gave them or rescaled.

    Raises:
        InputError: if the run holds no probabilities.
    """
    _, right = span_outcomes(answers)
    languages = answers.languages[answers.predicted.sentence]
    masks = {"all": np.ones(len(right), dtype=bool)} | {n: languages == n for n in sorted(set(answers.languages))}
    return {name: reliability(confidence[mask], right[mask]) for name, mask in masks.items()}


def fit_temperature(confidence: np.ndarray, right: np.ndarray) -> float | None:
    """Return the T that makes the outcomes most likely: above 1, the model was overconfident.

    Returns:
        T, or None where fewer than ``MIN_ENTITIES`` entities are given or all have the same outcome, for then no
        temperature is best.
    """
    from scipy.optimize import minimize_scalar

    if len(right) < MIN_ENTITIES or len(np.unique(right)) < 2:
        return None
    result = minimize_scalar(
        lambda log_t: _nll(rescale(confidence, float(np.exp(log_t))), right),
        bounds=_LOG_TEMPERATURE_BOUNDS,
        method="bounded",
    )
    return float(np.exp(result.x))


def rescale(confidence: np.ndarray, temperature: float | None) -> np.ndarray:
    """Return sigmoid(logit(p) / T); unchanged for None."""
    from scipy.special import expit, logit

    if temperature is None:
        return confidence
    return expit(logit(np.clip(confidence, _EPSILON, 1 - _EPSILON)) / temperature)


def calibration_table(answers: Answers, valid: Answers | None = None, *, seed: int = 0) -> pd.DataFrame:
    """Return ECE and NLL per language before and after one temperature for all languages.

    Args:
        answers: the split to report on.
        valid: the split to fit on. Without one, the sentences are halved and each half is rescaled by the
            temperature of the other, so that no entity is judged by a temperature it took part in.
        seed: of the halves.

    Returns:
        language ("all" first), n, accuracy, confidence (mean), ece_before, ece_after, nll_before, nll_after,
        temperature, fitted_on.
    """
    confidence, _ = span_outcomes(answers)
    after, temperature, fitted_on = rescaled(answers, valid, seed=seed)
    before_by_language, after_by_language = (reliability_by_language(answers, p) for p in (confidence, after))
    rows = []
    for language, one in before_by_language.items():
        other = after_by_language[language]
        rows.append(
            {
                "language": language,
                "n": one.n,
                "accuracy": one.accuracy,
                "confidence": one.confidence,
                "ece_before": one.ece,
                "ece_after": other.ece,
                "nll_before": one.nll,
                "nll_after": other.nll,
                "temperature": temperature,
                "fitted_on": fitted_on,
            }
        )
    numbers = [name for name in rows[0] if name not in ("language", "n", "fitted_on")]
    return pd.DataFrame(rows).astype(dict.fromkeys(numbers, "float64"))


def rescaled(answers: Answers, valid: Answers | None = None, *, seed: int = 0) -> tuple[np.ndarray, float | None, str]:
    """Return [N] the probabilities after the temperature, the temperature, and what it was fitted on.

    Of two halves the temperature given is the geometric mean. Probabilities stay as they are where none can be fitted.
    """
    confidence, right = span_outcomes(answers)
    if valid is not None:
        temperature = fit_temperature(*span_outcomes(valid))
        note = "valid" if temperature is not None else "nothing: too few entities"
        return rescale(confidence, temperature), temperature, note
    half = (np.random.default_rng(seed).permutation(len(answers)) % 2 == 0)[answers.predicted.sentence]
    first, second = (fit_temperature(confidence[side], right[side]) for side in (half, ~half))
    if first is None or second is None:
        return confidence, None, "nothing: too few entities"
    after = np.where(half, rescale(confidence, second), rescale(confidence, first))
    return after, float(np.sqrt(first * second)), "the other half of the sentences"


def _nll(confidence: np.ndarray, right: np.ndarray) -> float:
    p = np.clip(confidence, _EPSILON, 1 - _EPSILON)
    return float(-np.where(right, np.log(p), np.log1p(-p)).mean())


def wilson(hits: np.ndarray, n: np.ndarray, z: float = 1.96) -> tuple[np.ndarray, np.ndarray]:
    """Return Wilson's (1927) score interval of each share ``hits / n``; NaN for n = 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        share = hits / n
        centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
        half = z / (1 + z**2 / n) * np.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half

"""Percentile bootstrap over sentences, for F1 and for the difference of two F1 on the same sentences.

A sentence enters F1 only through two counts (true positives, and predicted plus gold), and most sentences share theirs
with many others. So a resample of S sentences is drawn as one multinomial over the U distinct pairs, which is the
very same distribution as drawing sentences, at U/S of the cost and memory (Efron and Tibshirani 1993, chapter 13;
paired: Koehn 2004, but reporting an interval instead of a verdict).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000
LEVEL = 0.95
# Below this many sentences with an entity the percentile interval is too narrow to be shown.
MIN_SENTENCES = 10
_CELLS_PER_CHUNK = 4_000_000

CORRECT, PREDICTED, GOLD = range(3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A percentile bootstrap interval.

    Attributes:
        low, high: the bounds.
        level: its nominal coverage, 0 to 1.
        resamples: how many resamples were drawn.
    """

    low: float
    high: float
    level: float = LEVEL
    resamples: int = RESAMPLES


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """F1 of B minus F1 of A on the same sentences.

    Attributes:
        f1_a, f1_b: the two scores, 0 to 1; None where there is no entity at all.
        difference: ``f1_b - f1_a``; with strata, the mean of the strata's differences. None as above.
        interval: of the difference; None below ``MIN_SENTENCES`` sentences with an entity.
        share_above: share of the resamples in which B is above A (ties count half); None as the interval.
        n_sentences: sentences compared.
    """

    f1_a: float | None
    f1_b: float | None
    difference: float | None
    interval: Interval | None
    share_above: float | None
    n_sentences: int


def f1(counts: np.ndarray) -> np.ndarray:
    """Return F1 = 2 correct / (predicted + gold) over the last axis; NaN where there is no entity.

    Args:
        counts: [..., 3] correct, predicted, gold.
    """
    return _f1_of_pairs(_pairs(counts))


def resample_totals(counts: np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0) -> np.ndarray:
    """Draw S of S sentences with replacement, ``resamples`` times, and add up their counts.

    Args:
        counts: [S, K] non-negative integers per sentence.
        resamples: R.
        seed: of the random generator.

    Returns:
        [R, K] totals.
    """
    rng = np.random.default_rng(seed)
    if not len(counts):
        return np.zeros((resamples, counts.shape[1]))
    vectors, frequency = _distinct(counts)
    step = max(1, _CELLS_PER_CHUNK // len(vectors))
    chunks = [
        rng.multinomial(len(counts), frequency / len(counts), size=min(step, resamples - done)) @ vectors
        for done in range(0, resamples, step)
    ]
    return np.concatenate(chunks)


def f1_interval(
    counts: np.ndarray, *, resamples: int = RESAMPLES, level: float = LEVEL, seed: int = 0
) -> Interval | None:
    """Return the interval of F1, or None where fewer than ``MIN_SENTENCES`` sentences have an entity.

    Args:
        counts: [S, 3] correct, predicted, gold per sentence.
        resamples: how many resamples to draw.
        level: nominal coverage.
        seed: of the random generator.
    """
    if informative(counts) < MIN_SENTENCES:
        return None
    return percentile_interval(_f1_of_pairs(resample_totals(_pairs(counts), resamples=resamples, seed=seed)), level)


def f1_difference(
    counts_a: np.ndarray,
    counts_b: np.ndarray,
    *,
    strata: np.ndarray | None = None,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Difference:
    """Compare two sets of predictions on the same sentences by paired bootstrap.

    Args:
        counts_a: [S, 3] correct, predicted, gold per sentence of A.
        counts_b: [S, 3] the same of B, row by row about the same sentence.
        strata: [S] names such as languages. Sentences are then drawn within each stratum, and F1 and difference are
            means over the strata, each weighing the same ("mean of the four languages").
        resamples: how many resamples to draw.
        level: nominal coverage.
        seed: of the random generator.

    Raises:
        ValueError: if A and B differ in their number of sentences.
    """
    if counts_a.shape != counts_b.shape:
        raise ValueError(f"Paired comparison of {len(counts_a)} with {len(counts_b)} sentences.")
    both = np.concatenate((_pairs(counts_a), _pairs(counts_b)), axis=1)
    names = np.unique(strata) if strata is not None else [None]
    parts = [both if name is None else both[strata == name] for name in names]
    totals = [part.sum(axis=0) for part in parts]
    scores = np.array([(_f1_of_pairs(total[:2]), _f1_of_pairs(total[2:])) for total in totals])
    f1_a, f1_b = scores.mean(axis=0) if len(scores) else (np.nan, np.nan)
    interval = share = None
    if parts and min(informative(part) for part in parts) >= MIN_SENTENCES:
        totals = [resample_totals(part, resamples=resamples, seed=seed + i) for i, part in enumerate(parts)]
        drawn = np.mean([_f1_of_pairs(t[:, 2:]) - _f1_of_pairs(t[:, :2]) for t in totals], axis=0)
        interval = percentile_interval(drawn, level)
        share = float(np.mean((drawn > 0) + 0.5 * (drawn == 0)))
    return Difference(
        f1_a=defined(f1_a),
        f1_b=defined(f1_b),
        difference=defined(f1_b - f1_a),
        interval=interval,
        share_above=share,
        n_sentences=len(both),
    )


def _pairs(counts: np.ndarray) -> np.ndarray:
    """Return [..., 2]: correct, and predicted plus gold."""
    return np.stack([counts[..., CORRECT], counts[..., PREDICTED] + counts[..., GOLD]], axis=-1)


def _f1_of_pairs(pairs: np.ndarray) -> np.ndarray:
    entities = np.asarray(pairs[..., 1], dtype=float)
    return np.divide(2.0 * pairs[..., 0], entities, out=np.full(entities.shape, np.nan), where=entities > 0)


def _distinct(counts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the distinct rows and how often each occurs, as np.unique(axis=0) does, several times faster."""
    code = np.zeros(len(counts), dtype=np.int64)
    for column in counts.T:
        # Renumbering after each column keeps the codes below the number of sentences, so nothing overflows.
        code = np.unique(code * (int(column.max()) + 1) + column, return_inverse=True)[1]
    _, first, frequency = np.unique(code, return_index=True, return_counts=True)
    return counts[first], frequency


def informative(counts: np.ndarray) -> int:
    """Count the sentences that have an entity at all; the others cannot move F1."""
    return int((counts > 0).any(axis=1).sum())


def percentile_interval(drawn: np.ndarray, level: float = LEVEL) -> Interval | None:
    """Return the interval between the percentiles of R drawn values; None where none is defined (NaN)."""
    known = drawn[~np.isnan(drawn)]
    if not len(known):
        return None
    low, high = np.quantile(known, [(1 - level) / 2, (1 + level) / 2])
    return Interval(low=float(low), high=float(high), level=level, resamples=len(drawn))


def defined(value: float) -> float | None:
    """Return a number, or None for NaN."""
    return None if np.isnan(value) else float(value)

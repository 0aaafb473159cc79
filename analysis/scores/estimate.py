"""A mean with its n and its bootstrap interval: the form of every number about pairs, maps and entities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.scores.bootstrap import LEVEL, MIN_SENTENCES, RESAMPLES, Interval

_CELLS_PER_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number of a sample.

    Attributes:
        value: the number, None where there is no item.
        n: how many items it rests on.
        interval: percentile bootstrap over the items or their clusters; None for fewer than ``MIN_SENTENCES`` of them.
    """

    value: float | None
    n: int
    interval: Interval | None

    def to_row(self) -> dict[str, float | int | None]:
        """Return the columns value, low, high, n."""
        low, high = (None, None) if self.interval is None else (self.interval.low, self.interval.high)
        return {"value": self.value, "low": low, "high": high, "n": self.n}


def mean_estimate(
    values: np.ndarray,
    *,
    clusters: np.ndarray | None = None,
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Estimate:
    """Return ``transform(mean(values))`` with its interval.

    Args:
        values: [N] one number per item.
        clusters: [N] what each item belongs to, for example its sentence: clusters are then resampled whole, since
            items of one are no independent evidence. None: every item is one.
        transform: a monotone function of the mean, for example a logarithm.
        resamples: how many resamples to draw.
        level: nominal coverage.
        seed: of the random generator.
    """
    values = np.asarray(values, dtype=float)
    if not len(values):
        return Estimate(value=None, n=0, interval=None)
    sums, sizes = _per_cluster(values, clusters)
    value, n = float(transform(values.mean())), len(sums)
    if n < MIN_SENTENCES:
        return Estimate(value=value, n=len(values), interval=None)
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS_PER_CHUNK // n)
    means = []
    for done in range(0, resamples, step):
        drawn = rng.integers(n, size=(min(step, resamples - done), n), dtype=np.int32)
        means.append(sums[drawn].sum(axis=1) / (n if clusters is None else sizes[drawn].sum(axis=1)))
    low, high = np.quantile(transform(np.concatenate(means)), [(1 - level) / 2, (1 + level) / 2])
    interval = Interval(low=float(low), high=float(high), level=level, resamples=resamples)
    return Estimate(value=value, n=len(values), interval=interval)


def _per_cluster(values: np.ndarray, clusters: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
    if clusters is None:
        return values, np.ones(len(values))
    _, place = np.unique(clusters, return_inverse=True)
    return np.bincount(place, weights=values), np.bincount(place).astype(float)

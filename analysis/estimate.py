"""A mean with its n and its bootstrap interval: the form of every number about pairs, maps and entities."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from analysis.bootstrap import LEVEL, MIN_SENTENCES, RESAMPLES, Interval

_CELLS_PER_CHUNK = 2_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A number of a sample.

    Attributes:
        value: the number, None where there is no item.
        n: how many items it rests on.
        interval: percentile bootstrap over the items; None for fewer than ``MIN_SENTENCES`` items.
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
    transform: Callable[[np.ndarray], np.ndarray] = np.asarray,
    resamples: int = RESAMPLES,
    level: float = LEVEL,
    seed: int = 0,
) -> Estimate:
    """Return ``transform(mean(values))`` with its interval, resampling the values.

    Args:
        values: [N] one number per item.
        transform: a monotone function of the mean, for example a logarithm.
        resamples: how many resamples to draw.
        level: nominal coverage.
        seed: of the random generator.
    """
    values = np.asarray(values, dtype=float)
    n = len(values)
    if not n:
        return Estimate(value=None, n=0, interval=None)
    value = float(transform(values.mean()))
    if n < MIN_SENTENCES:
        return Estimate(value=value, n=n, interval=None)
    rng = np.random.default_rng(seed)
    step = max(1, _CELLS_PER_CHUNK // n)
    means = np.concatenate(
        [
            values[rng.integers(n, size=(min(step, resamples - done), n), dtype=np.int32)].mean(axis=1)
            for done in range(0, resamples, step)
        ]
    )
    low, high = np.quantile(transform(means), [(1 - level) / 2, (1 + level) / 2])
    return Estimate(
        value=value, n=n, interval=Interval(low=float(low), high=float(high), level=level, resamples=resamples)
    )

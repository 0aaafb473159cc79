"""Measure the same call many times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """Seconds of one call: median and 95th percentile over ``n`` calls after warm-up."""

    median: float
    p95: float
    n: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> Timing:
        """Summarise measured seconds."""
        p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
        return cls(median=statistics.median(seconds), p95=p95, n=len(seconds))

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def measure(call: Callable[[int], object], *, repeats: int, warmup: int = 5) -> Timing:
    """Time ``call(i)``, which gets the number of the repetition, so that inputs can vary."""
    for i in range(warmup):
        call(i)
    seconds = []
    for i in range(repeats):
        started = time.perf_counter()
        call(i)
        seconds.append(time.perf_counter() - started)
    return Timing.of(seconds)

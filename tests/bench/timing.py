"""Measure the same calls many times."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class CallTimes:
    """Seconds of one call: median and 95th percentile over ``n`` calls after warm-up."""

    median: float
    p95: float
    n: int

    @classmethod
    def of(cls, seconds: Sequence[float]) -> CallTimes:
        """Summarise measured seconds."""
        p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1] if len(seconds) > 1 else seconds[0]
        return cls(median=statistics.median(seconds), p95=p95, n=len(seconds))

    def to_json(self) -> dict[str, Any]:
        """Return the fields."""
        return asdict(self)


def time_call(call: Callable[[], object]) -> float:
    """Return the seconds that a call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def measure_in_turn(
    calls: Mapping[str, Callable[[int], object]], *, repeats: int, warmup: int = 5
) -> dict[str, CallTimes]:
    """Time calls that are to be compared: one of each per round, so that what slows the machine slows all alike.

    Args:
        calls: each gets the number of the round, so that inputs can vary.
        repeats: measured rounds.
        warmup: rounds before them.
    """
    seconds: dict[str, list[float]] = {name: [] for name in calls}
    for i in (*range(warmup), *range(repeats)):
        for name, call in calls.items():
            seconds[name].append(time_call(partial(call, i)))
    return {name: CallTimes.of(taken[warmup:]) for name, taken in seconds.items()}

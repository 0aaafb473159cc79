"""What became of each question, and whether the whole was good enough."""

from __future__ import annotations

import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from tests.load.memory import WINDOW, MemoryCurve

Fate = Literal["answered", "busy", "error", "lost", "interrupted"]
MEMORY_GROWTH = 1.10  # at most this many times what it was after warm-up
SHOWN_PROBLEMS = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One question.

    Attributes:
        kind: "text", "photo", "program" or "click".
        fate: what became of it; "busy": the app said in a sentence to come back later; "interrupted": the app
            was killed meanwhile, on purpose.
        started: seconds since the clock started.
        seconds: from the first byte sent, a photo's upload included, to the last received.
        told: what the app said, where it gave no answer.
    """

    kind: str
    fate: Fate
    started: float
    seconds: float
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """The app's death in the middle of the test, and what came after.

    Attributes:
        at: seconds since the clock started.
        back_after: seconds from the start of the new process until it answered with a result.
        left_behind: files of the dead process that still lie about, and files that changed in folders which the
            app only reads.
    """

    at: float
    back_after: float
    left_behind: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoadReport:
    """What a load test found.

    Attributes:
        visitors: how many there were at once.
        seconds: for how long they came.
        outcomes: one for each question.
        memory: of the app, from its last start on.
        warm_up: seconds of the clock after which its memory is compared with the end.
        kill: None where the app was not killed.
    """

    visitors: int
    seconds: float
    outcomes: Sequence[Outcome]
    memory: MemoryCurve
    warm_up: float
    kill: Kill | None = None
    counts: Counter[str] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "counts", Counter(outcome.fate for outcome in self.outcomes))

    @property
    def memory_ratio(self) -> float | None:
        """Memory at the end over memory after warm-up; None where it was not measured, or not for long enough."""
        before, after = self.memory.after(self.warm_up), self.memory.at_end()
        if before is None or after is None or self.memory.samples[-1][0] < self.warm_up + 2 * WINDOW:
            return None
        return after / before

    def problems(self) -> list[str]:
        """Return a sentence for each thing that must not be; an empty list means that the test is passed."""
        found = []
        if not self.counts["answered"]:
            found.append("No question was answered.")
        for fate in ("error", "lost"):
            if n := self.counts[fate]:
                told = next(o.told for o in self.outcomes if o.fate == fate)
                found.append(f"{n:,} of {len(self.outcomes):,} questions: {fate}; the first: {told}")
        if (ratio := self.memory_ratio) is not None and ratio > MEMORY_GROWTH:
            found.append(f"Memory at the end is {ratio:.2f} times what it was after warm-up ({MEMORY_GROWTH} allowed).")
        if self.kill and (left := self.kill.left_behind):
            found.append(f"{len(left)} files are left behind by the killed app; the first: {left[0]}")
        return found

    def latency(self, kinds: Iterable[str]) -> dict[str, float] | None:
        """Return quantiles of the seconds until an answer to these kinds of question; None without one."""
        return quantiles([outcome for outcome in self.outcomes if outcome.kind in set(kinds)])

    def to_json(self) -> dict[str, Any]:
        """Return everything that was measured."""
        kinds = sorted({outcome.kind for outcome in self.outcomes})
        return {
            "passed": not self.problems(),
            "problems": self.problems(),
            "visitors": self.visitors,
            "seconds": self.seconds,
            "requests": len(self.outcomes),
            **{fate: self.counts[fate] for fate in ("answered", "busy", "error", "lost", "interrupted")},
            "requests_per_second": self.counts["answered"] / self.seconds,
            "latency": {"all": self.latency(kinds), **{kind: self.latency([kind]) for kind in kinds}},
            "busy_sentences": sorted({o.told for o in self.outcomes if o.fate == "busy"})[:SHOWN_PROBLEMS],
            "memory": {
                "after_warm_up_mb": self.memory.after(self.warm_up),
                "end_mb": self.memory.at_end(),
                "ratio": self.memory_ratio,
                "curve": self.memory.samples,
            },
            "kill": asdict(self.kill) if self.kill else None,
        }


def quantiles(outcomes: Iterable[Outcome]) -> dict[str, float] | None:
    """Return quantiles of the seconds until an answer, of the questions that got one; None without two of them."""
    seconds = sorted(outcome.seconds for outcome in outcomes if outcome.fate == "answered")
    if len(seconds) < 2:
        return None
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {"n": len(seconds), "p50": cuts[49], "p95": cuts[94], "p99": cuts[98], "max": seconds[-1]}

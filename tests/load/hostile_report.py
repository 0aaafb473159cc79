"""What the hostile visitor's attacks did to the others, attack by attack."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.load.hostile import CALM, Onslaught
from tests.load.outcome import LoadReport, Outcome, quantiles

MOST_MEDIAN = 2.0  # seconds until half of the others have their answer, whatever one visitor does
MOST_P95 = 5.0  # seconds until nearly all of them have it
MOST_TIMES = 2.0  # what they had to wait before the first attack; it counts where the machine itself is slower
_NOT_ANSWERED = {"busy": "refused", "lost": "lost", "error": "answered with an error"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostileReport(LoadReport):
    """What a load test with a hostile visitor found; that one's own questions are none of its outcomes.

    Attributes:
        spells: attacks and calm, in the order in which they went.
    """

    spells: Sequence[Onslaught]

    def problems(self) -> list[str]:
        """Return a sentence for each thing that must not be; refusing others is one of them, too."""
        return [*LoadReport.problems(self), *hostile_problems(self.outcomes, self.spells)]

    def to_json(self) -> dict[str, Any]:
        """Return everything that was measured, attack by attack as well."""
        return {**LoadReport.to_json(self), "attacks": effects(self.outcomes, self.spells)}


def effects(outcomes: Sequence[Outcome], spells: Sequence[Onslaught]) -> dict[str, dict[str, Any]]:
    """Return for each attack how it was answered, and how long the others waited who asked while it went on.

    Args:
        outcomes: of the others' questions.
        spells: attacks and calm, in the order in which they went.
    """
    table = {}
    for name in dict.fromkeys(spell.name for spell in spells):
        turns = [spell for spell in spells if spell.name == name]
        answers = sum((turn.answers for turn in turns), Counter[str]())
        asked = [o for o in outcomes if any(turn.started <= o.started < turn.ended for turn in turns)]
        fates = Counter[str](outcome.fate for outcome in asked)
        table[name] = {
            "seconds": sum(turn.ended - turn.started for turn in turns),
            "requests": sum(answers.values()),
            "answers": dict(answers.most_common()),
            "others": quantiles(asked),
            **{fate: fates[fate] for fate in ("answered", "busy", "lost", "error")},
        }
    return table


def hostile_problems(outcomes: Sequence[Outcome], spells: Sequence[Onslaught]) -> list[str]:
    """Return a sentence for each attack that kept others waiting, or from their answers."""
    found = []
    calm = quantiles([o for o in outcomes if o.started < spells[0].ended]) or {"p50": 0.0, "p95": 0.0}
    most = {"p50": max(MOST_MEDIAN, MOST_TIMES * calm["p50"]), "p95": max(MOST_P95, MOST_TIMES * calm["p95"])}
    for name, row in effects(outcomes, spells).items():
        during = "Between attacks" if name == CALM else f"During {name}"
        told = [f"{row[fate]:,} {word}" for fate, word in _NOT_ANSWERED.items() if row[fate]]
        if told:
            asked = row["answered"] + sum(row[fate] for fate in _NOT_ANSWERED)
            found.append(f"{during}, of {asked:,} questions of others {', '.join(told)}.")
        waited = row["others"]
        if waited and waited["p50"] > most["p50"]:
            found.append(f"{during}, the others' median was {waited['p50']:.1f} s; {most['p50']:.1f} s are allowed.")
    overall = quantiles(outcomes)
    if overall and overall["p95"] > most["p95"]:
        found.append(f"The others' 95th percentile is {overall['p95']:.1f} s; {most['p95']:.1f} s are allowed.")
    return found

"""How far a run is, and about how long it will take yet."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from analysis.jobs.job import PROGRESS

STAGES = {
    "reading": "Reading data and model",
    "tagging": "Tagging",
    "scores": "Scores and intervals",
    "heat maps": "Tests of heat maps",
    "maps": "Map of the space",
}
"""The stages of a run in their order, as :mod:`analysis.evaluation.job` names them."""
SECONDS = {"reading": 8.0, "tagging": 88.0, "scores": 10.0, "heat maps": 100.0, "maps": 9.0}
"""What each took for a thousand sentences with photos on two cores: what is left is judged by it until a stage has
begun, and then by its own steps."""
_PER = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """How far a run is.

    Attributes:
        stage: in words.
        done, total: steps of the stage; 0 where they are not counted.
        share: of the whole, 0 to 1.
        left: seconds, about.
    """

    stage: str
    done: int = 0
    total: int = 0
    share: float = 0.0
    left: float = 0.0


def timing(folder: Path, sentences: int, *, studies: bool) -> Timing:
    """Judge how far the run in a job's folder is.

    Args:
        folder: the job's.
        sentences: of the run.
        studies: whether heat maps are tested, which takes the same time for any number of sentences.
    """
    expected = {
        stage: seconds if stage in ("reading", "heat maps") else seconds * max(0.1, sentences / _PER)
        for stage, seconds in SECONDS.items()
        if studies or stage != "heat maps"
    }
    record = _read(folder / PROGRESS)
    stage = str(record.get("stage", "reading"))
    stage = {"asking": "tagging"}.get(stage, stage)
    if stage not in expected:
        stage = "reading"
    total, done, first = (_count(record, name) for name in ("total", "done", "first"))
    since, at = (_seconds(record, name) for name in ("since", "at"))
    spent = max(0.0, time.time() - since)
    before, after = _around(expected, stage)
    if done > first:
        steps = (at - since) / (done - first)
        here = steps * (total - first)
        if stage == "tagging":  # a machine that is twice as fast here is so with all that follows
            after *= here / (expected[stage] * (total - first) / total)
    else:
        here = max(expected[stage], spent)
    left = max(0.0, here - spent) + after
    passed = before + min(spent, here)
    return Timing(stage=STAGES[stage], done=done, total=total, share=passed / (passed + left or 1.0), left=left)


def duration_in_words(seconds: float) -> str:
    """Say how long something takes, about."""
    if seconds < 50:
        return f"about {max(5, 5 * round(seconds / 5))} seconds"
    minutes = max(1, round(seconds / 60))
    return f"about {minutes} minute{'' if minutes == 1 else 's'}"


def _around(expected: Mapping[str, float], stage: str) -> tuple[float, float]:
    """Return what the stages before one and after it take."""
    names = list(expected)
    place = names.index(stage)
    return sum(expected[name] for name in names[:place]), sum(expected[name] for name in names[place + 1 :])


def _read(file: Path) -> dict[str, object]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}  # not begun
    return record if isinstance(record, dict) else {}


def _count(record: Mapping[str, object], name: str) -> int:
    value = record.get(name)
    return value if isinstance(value, int) else 0


def _seconds(record: Mapping[str, object], name: str) -> float:
    value = record.get(name)
    return value if isinstance(value, float) else time.time()

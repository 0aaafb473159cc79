"""Count what was tried, for the line at the end of the run."""

from __future__ import annotations

import os
from collections import Counter

from hypothesis import settings

TIMES = int(os.environ.get("FUZZ_TIMES", "1"))
"""Multiplies the executions of every fuzz test: 1 takes seconds; more is for a night."""
fuzzed: Counter[str] = Counter()
"""How often each fuzz test has run its subject."""


def examples(number: int) -> settings:
    """Return hypothesis' settings for a fuzz test with this many executions."""
    return settings(max_examples=number * TIMES, deadline=None)


def count(subject: str) -> None:
    """Count one execution of a fuzz test."""
    fuzzed[subject] += 1

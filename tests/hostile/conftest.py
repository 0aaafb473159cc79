"""A visitor who sends bad things to one and the same model, and the count of what was sent."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.hostile.counting import fuzzed
from tests.hostile.visitor import Visitor

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger

FOLDER = Path(__file__).parent.name


@pytest.fixture(scope="session")
def tagger(tiny_checkpoint: Path) -> Tagger:
    """Load the tiny model once for all."""
    from mmner_core.inference.tagger import Tagger

    return Tagger.load(tiny_checkpoint)


@pytest.fixture
def visitor(tagger: Tagger) -> Iterator[Visitor]:
    """Return a visitor; whatever was sent, the next one is answered as if nothing had been."""
    yield Visitor(tagger)
    assert Visitor(tagger).ask("Marie Curie went to Paris", Visitor.photo()).tags


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say how many hostile inputs were tried, and how often each fuzz test ran."""
    if not fuzzed:
        return
    reports = [r for r in terminalreporter.stats.get("passed", []) if f"/{FOLDER}/" in r.nodeid and r.when == "call"]
    named = [r for r in reports if "/test_fuzz_" not in r.nodeid]
    terminalreporter.write_line(f"hostile inputs tried, each a named test: {len(named):,}")
    terminalreporter.write_line(f"fuzz executions: {sum(fuzzed.values()):,}")
    for subject, times in sorted(fuzzed.items()):
        terminalreporter.write_line(f"  {times:>6,} {subject}")

"""Number formats: the same scores in both, and the one asked for is the one that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.core.test_cli import TINY, parsed, refused


@pytest.mark.parametrize(("asked", "runs"), [("fp32", "float32"), ("bf16", "bfloat16")])
def test_evaluate_runs_in_the_format_asked_for(person_checkpoint: Path, asked: str, runs: str) -> None:
    """The record says which it was, and the scores do not depend on it."""
    arguments = ("evaluate", "--data", TINY, "--checkpoint", person_checkpoint, "--image-condition", "none")
    record = parsed(*arguments, "--precision", asked)
    assert record["number_format"] == runs
    assert record["micro"] == parsed(*arguments)["micro"]


def test_an_unknown_format_is_refused(person_checkpoint: Path) -> None:
    """One sentence that names the formats there are."""
    message = refused("evaluate", "--data", TINY, "--checkpoint", person_checkpoint, "--precision", "int8")
    assert "no number format 'int8'; choose fp32 or bf16" in message

"""The load test itself, in short: a real app, five visitors, and a kill in the middle."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]


def load_test(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "mmner_core", "load-test", *options]
    return subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def killed(tiny_checkpoint: Path) -> dict[str, Any]:
    """Let five visitors ask for some seconds, in the middle of which the app is killed."""
    options = ["--visitors", "5", "--seconds", "8", "--think", "0.3", "--kill", "--json"]
    result = load_test(*options, "--checkpoint", str(tiny_checkpoint))
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(result.stdout)


def test_visitors_are_answered_before_and_after_a_kill(killed: dict[str, Any]) -> None:
    """Text, photos and programs get their own answers; none is lost but those cut off on purpose."""
    assert killed["passed"]
    assert killed["requests"] == killed["answered"] + killed["busy"] + killed["interrupted"]
    assert killed["answered"] >= 5
    assert killed["memory"]["curve"]


def test_a_killed_app_comes_back_and_leaves_nothing_half_written(killed: dict[str, Any]) -> None:
    """It was killed in the middle of an upload; the next start serves, and clears away what the dead one left."""
    assert killed["kill"]["back_after"] > 0
    assert killed["kill"]["left_behind"] == []


def test_an_app_that_cannot_answer_is_told_in_one_sentence(url: str, tmp_path: Path) -> None:
    """No checkpoint, no app there, or an app that is not ours to kill: exit code 2 and what to do."""
    for options, told in (
        (["--checkpoint", str(tmp_path / "nothing")], "nothing"),
        (["--url", "http://127.0.0.1:9"], "does not answer"),
        (["--url", url, "--kill"], "leave out"),
        (["--hostile", "--kill"], "two tests"),
        (["--hostile", "nope"], "no attack 'nope'"),
        (["junk"], "after --hostile"),
        (["--hostile", "--url", "http://example.org"], "only let at an app of this machine"),
    ):
        result = load_test(*options)
        assert result.returncode == 2
        assert told in result.stderr
        assert result.stderr.count("\n") == 1

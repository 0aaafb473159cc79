"""The load test itself, in short: a real app, some visitors, a kill in the middle, and another who attacks."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.load.attacks.table import ATTACKS

pytestmark = pytest.mark.slow  # attacks an app of its own

REPOSITORY = Path(__file__).resolve().parents[2]


def load_test(*options: str) -> subprocess.CompletedProcess[str]:
    """Run the command."""
    command = [sys.executable, "-m", "tests.load", *options]
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


@pytest.fixture(scope="module")
def attacked(tiny_checkpoint: Path) -> dict[str, Any]:
    """Let six visitors ask for half a minute, while another goes through every attack twice."""
    options = ["--hostile", "--visitors", "6", "--seconds", "30", "--think", "0.5", "--json"]
    result = load_test(*options, "--checkpoint", str(tiny_checkpoint))
    assert result.returncode in (0, 1), result.stderr
    return json.loads(result.stdout)


def test_no_visitor_is_lost_or_refused_while_another_attacks(attacked: dict[str, Any]) -> None:
    """Questions and clicks are answered; how soon is for the command to say, on a machine that does nothing else."""
    assert [problem for problem in attacked["problems"] if not problem.endswith("s are allowed.")] == []
    assert attacked["answered"] == attacked["requests"] > 0


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_each_attack_is_met(attacked: dict[str, Any], attack: str) -> None:
    """It was made, the app answered or cut it off, and the others were answered meanwhile."""
    row = attacked["attacks"][attack]
    assert row["requests"] > 0
    assert row["answers"].get("500", 0) == 0
    assert row["busy"] == row["lost"] == row["error"] == 0

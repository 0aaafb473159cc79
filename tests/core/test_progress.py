"""How far a job is, for whoever started it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mmner_core.runtime.progress import PROGRESS_FILE, begin_stage, progress_bar


def test_a_job_tells_how_far_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The file that the environment names always holds the latest stage and its steps, those done before apart."""
    file = tmp_path / "progress.json"
    monkeypatch.setenv(PROGRESS_FILE, str(file))
    begin_stage("reading")
    assert json.loads(file.read_text())["stage"] == "reading"
    with progress_bar("tagging", 10, done=4, unit="sentences", quiet=True) as bar:
        assert {"done": 4, "first": 4, "total": 10}.items() <= json.loads(file.read_text()).items()
        bar.update(6)
    record = json.loads(file.read_text())
    assert (record["stage"], record["done"]) == ("tagging", 10)
    assert record["at"] >= record["since"]


def test_without_a_file_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a file that cannot be written stop the job."""
    monkeypatch.delenv(PROGRESS_FILE, raising=False)
    monkeypatch.chdir(tmp_path)
    with progress_bar("tagging", 2, quiet=True) as bar:
        bar.update()
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv(PROGRESS_FILE, str(tmp_path / "nowhere" / "progress.json"))
    begin_stage("tagging")

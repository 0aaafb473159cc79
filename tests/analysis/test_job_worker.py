"""The queue: runs are made one after the other, stopped, and taken up again where they were."""

from __future__ import annotations

import json
import os
import signal
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.jobs.job import Job
from analysis.jobs.maker import RunMaker
from analysis.jobs.process import end_abandoned, open_lock
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from tests.analysis.making_runs import (
    now,
    open_small_maker,
    wait_for,
    wait_until,
    write_models,
    write_photos,
    write_sentences,
)

pytestmark = pytest.mark.slow  # each makes runs in processes of their own


@pytest.fixture
def asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have models at hand that write down what they were asked, and return where."""
    write_models(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TEST_ASKED", str(tmp_path / "asked"))
    return tmp_path / "asked"


@pytest.fixture
def maker(tmp_path: Path, asked: Path) -> Iterator[RunMaker]:
    """Return what makes runs, and stop it in the end."""
    made = open_small_maker(tmp_path / "jobs")
    yield made
    (asked.parent / "go").touch()
    made.worker.stop()


def upload(maker: RunMaker, folder: Path, owner: str | None = None) -> Job:
    """Take in a data set."""
    job, _ = maker.look(owner, write_sentences(folder / "up" / "news.txt"))
    return job


def start(maker: RunMaker, job: Job, name: str, model: str = "Quick") -> Job:
    """Put a run in the queue."""
    return maker.start(job.owner, job.id, {"name": name, "model": f"made_up:{model}", "studies": False})


def test_a_run_is_made_and_tells_nothing_of_the_server(maker: RunMaker, tmp_path: Path) -> None:
    """Its files name paths below the job's folder only; it can be packed, renamed, reported and deleted."""
    job = wait_for(maker, start(maker, upload(maker, tmp_path), "mine"), "finished", "failed")
    assert job.problem == ""
    run = EvaluationRun.open(maker.store.run_of(job))
    assert run.conditions == {"none": 150}
    assert str(tmp_path) not in json.dumps(run.provenance)
    assert set(run.answers().sentences["where"].str.partition(":")[0]) == {"data/news.txt"}
    assert maker.store.runs(None) == [maker.store.run_of(job)]
    assert maker.rename(None, job.id, "yours").name == "yours"
    maker.pack(None, job.id, tmp_path / "yours.zip")
    assert b"yours/provenance.json" in (tmp_path / "yours.zip").read_bytes()
    report = maker.report(None, job.id).read_text(encoding="utf-8")
    assert "yours" in report and str(tmp_path) not in report
    maker.delete(None, job.id)
    assert maker.store.runs(None) == [] and list(maker.store.folder.iterdir()) == []


def test_what_a_model_says_of_its_failure_is_told(maker: RunMaker, tmp_path: Path) -> None:
    """The sentence of the command line, and the next run is made all the same."""
    broken = start(maker, upload(maker, tmp_path), "broken", "Broken")
    fine = start(maker, upload(maker, tmp_path), "fine")
    assert "no such luck" in wait_for(maker, broken, "failed").problem
    assert wait_for(maker, fine, "finished", "failed").state == "finished"


def test_a_run_is_cancelled_with_all_its_processes_and_goes_on(maker: RunMaker, tmp_path: Path, asked: Path) -> None:
    """The one that waits takes its turn; what was finished of the cancelled one is not asked again."""
    slow = start(maker, upload(maker, tmp_path), "slow", "Slow")
    waiting = start(maker, upload(maker, tmp_path), "waiting")
    wait_until(lambda: (tmp_path / "reached").exists())
    assert maker.view(now(maker, waiting)).ahead == 1
    timing = maker.view(now(maker, slow)).timing
    assert timing is not None and (timing.done, timing.total) == (64, 150)
    maker.cancel(None, slow.id)
    assert now(maker, slow).state == "cancelled"
    open_lock(maker.store.path(slow)).close()  # nobody is at work on it
    assert wait_for(maker, waiting, "finished", "failed").state == "finished"
    asked.unlink()
    (tmp_path / "go").touch()
    maker.go_on(None, slow.id)
    assert wait_for(maker, slow, "finished", "failed").state == "finished"
    assert len(asked.read_text().split()) == 150 - 64
    assert EvaluationRun.open(maker.store.run_of(slow)).conditions == {"none": 150}


def test_a_stopped_server_s_run_is_taken_up_by_the_next(maker: RunMaker, tmp_path: Path, asked: Path) -> None:
    """Without anybody's doing, in the old order, where it was; a folder has one server at a time."""
    slow = start(maker, upload(maker, tmp_path, "ada"), "slow", "Slow")
    waiting = start(maker, upload(maker, tmp_path, "bob"), "waiting")
    wait_until(lambda: (tmp_path / "reached").exists())
    second = open_small_maker(tmp_path / "jobs")
    with pytest.raises(InputError, match="Another server"):
        second.worker.start()
    maker.worker.stop()
    asked.unlink()
    (tmp_path / "go").touch()
    second.worker.start()
    try:
        assert [job.id for job in second.store.all()] == [slow.id, waiting.id]
        assert wait_for(second, slow, "finished", "failed").state == "finished"
        assert wait_for(second, waiting, "finished", "failed").state == "finished"
        assert len(asked.read_text().split()) == 150 - 64 + 150
    finally:
        second.worker.stop()


def test_the_process_of_a_killed_server_is_ended_first(maker: RunMaker, tmp_path: Path) -> None:
    """Or two would write the same run; a number that another program bears by now is left alone."""
    slow = start(maker, upload(maker, tmp_path), "slow", "Slow")
    wait_until(lambda: (tmp_path / "reached").exists())
    folder, pid = maker.store.path(slow), now(maker, slow).pid
    with pytest.raises(BlockingIOError):
        open_lock(folder)
    end_abandoned(folder, pid)
    open_lock(folder).close()
    wait_for(maker, slow, "failed")
    end_abandoned(folder, os.getpid())


def test_a_run_out_of_time_is_stopped(tmp_path: Path, asked: Path) -> None:
    """With a sentence; what is finished stays."""
    maker = open_small_maker(tmp_path / "jobs", seconds=0.2)
    try:
        job = wait_for(maker, start(maker, upload(maker, tmp_path), "slow", "Slow"), "failed", "finished")
        assert "minutes" in job.problem
    finally:
        maker.worker.stop()


def test_a_run_that_takes_too_much_memory_is_stopped(tmp_path: Path, asked: Path) -> None:
    """With the processes that it started: the model is one of its own; the next run is made all the same."""
    maker = open_small_maker(tmp_path / "jobs", memory=1_200_000_000)
    try:
        greedy = start(maker, upload(maker, tmp_path), "greedy", "Greedy")
        fine = start(maker, upload(maker, tmp_path), "fine")
        assert "1,200 MB of memory" in wait_for(maker, greedy, "failed", "finished").problem
        assert wait_for(maker, fine, "failed", "finished").state == "finished"
    finally:
        maker.worker.stop()


def test_a_process_that_is_killed_is_told(maker: RunMaker, tmp_path: Path) -> None:
    """As the system does where memory runs out."""
    slow = start(maker, upload(maker, tmp_path), "slow", "Slow")
    wait_until(lambda: (tmp_path / "reached").exists())
    os.killpg(now(maker, slow).pid, signal.SIGKILL)
    assert "memory" in wait_for(maker, slow, "failed", "finished").problem


def test_photos_are_found_in_the_zip_and_shown(maker: RunMaker, tmp_path: Path) -> None:
    """Below whatever folder they were packed in; what is missing and broken is told, and nothing of a draft is kept."""
    data = write_sentences(tmp_path / "up" / "news.txt", images=True)
    job, found = maker.look(None, data, photos=write_photos(tmp_path / "up" / "photos.zip", broken=True))
    photos = found.photos
    assert (photos.sentences, photos.present, photos.missing, photos.broken) == (50, 3, 1, 1)
    assert found.images == "photos/holiday" and found.first[0].photo == "photos/holiday/0.jpg"
    assert found.types == {"LOC": 75, "PER": 75} and found.languages == {"": 150}
    assert any("holiday/2.jpg" in problem for problem in photos.problems)
    assert sorted(path.name for path in maker.store.path(job).iterdir()) == [
        "data", "description.json", "job.json", "lock", "log.txt", "photos",
    ]  # fmt: skip
    maker.delete(None, job.id)
    assert list(maker.store.folder.iterdir()) == []


def test_a_zip_of_a_folder_of_each_language_is_read(maker: RunMaker, tmp_path: Path) -> None:
    """Below whatever folder it was packed in, with the photos beside the languages."""
    up = tmp_path / "up"
    write_photos(up / "photos.zip")
    with zipfile.ZipFile(up / "photos.zip") as photos, zipfile.ZipFile(up / "news.zip", "w") as archive:
        for language in ("en", "de"):
            data = write_sentences(up / f"{language}.txt", 9, images=True)
            archive.write(data, f"news/{language}/test.txt")
        for name in photos.namelist():
            archive.writestr(f"news/images/{Path(name).name}", photos.read(name))
    job, found = maker.look(None, up / "news.zip")
    assert (found.data, found.images, found.split) == ("data/news", "data/news/images", "test")
    assert found.languages == {"en": 9, "de": 9}
    assert (found.photos.present, found.photos.missing) == (2, 1)
    assert job.name == "news.zip"

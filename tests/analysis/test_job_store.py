"""The jobs on the disk: whose they are, what they may take, and what survives."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import pytest

from analysis.jobs.job import RECORD, Choices, Job, check_run_name
from analysis.jobs.store import JobLimits, JobStore, suffix_of
from mmner_core.errors import InputError


@pytest.fixture
def store(tmp_path: Path) -> JobStore:
    """Return an empty store with little room."""
    return JobStore(tmp_path / "jobs", JobLimits(waiting=2, space=3000, share=2000))


def add(store: JobStore, owner: str | None, size: int = 10, name: str = "") -> Job:
    """Add a draft, or with a name a complete run."""
    with store.drafting(owner, "news.txt", "") as (job, path, _):
        (path / "data" / "news.txt").write_bytes(b"x" * size)
    if not name:
        return store.find(owner, job.id)
    choices = Choices(name=name, model="m")
    made = store.change(job, state="finished", choices=choices)
    store.run_of(made).mkdir(parents=True)
    return made


def test_a_folder_is_made_only_when_it_is_needed(tmp_path: Path) -> None:
    """A server in which nobody makes a run leaves nothing behind."""
    store = JobStore(tmp_path / "jobs", JobLimits())
    assert store.of(None) == [] and not store.folder.exists()


def test_a_job_is_its_owner_s_alone(store: JobStore) -> None:
    """Nobody else finds it, by its id or in a list; nor do those who come without a name."""
    mine = add(store, "ada", name="mine")
    assert store.find("ada", mine.id) == mine and store.runs("ada") == [store.run_of(mine)]
    for other in ("bob", None, ""):
        assert store.of(other) == [] and store.runs(other) == []
        with pytest.raises(InputError, match="no such run"):
            store.find(other, mine.id)
    for strange in ("../jobs", "", None, 5, ["x"]):
        with pytest.raises(InputError, match="no such run"):
            store.find("ada", strange)


def test_two_users_may_have_runs_of_one_name_and_one_may_not(store: JobStore) -> None:
    """Neither by starting nor by renaming."""
    add(store, "ada", name="mine")
    second = add(store, "ada", name="second")
    assert add(store, "bob", name="mine").name == "mine"
    with pytest.raises(InputError, match="mine"):
        store.rename(second, "mine")
    draft = add(store, "ada")
    with pytest.raises(InputError, match="mine"):
        store.ask(draft, Choices(name="mine", model="m"))
    renamed = store.rename(second, "new")
    assert store.run_of(renamed).is_dir() and store.run_of(renamed).name == "new"


@pytest.mark.parametrize(
    "name", ["..", ".", "", "a/b", "a\\b", ".x", "a\0", "a\n", "-x", " a", "a ", "a.", "ü" * 49, "<b>"]
)
def test_a_name_that_is_no_folder_s_is_refused(name: str) -> None:
    """It becomes one, and a part of a command line."""
    with pytest.raises(InputError, match="name of a run"):
        check_run_name(name)
    assert check_run_name("Zürich 2 (neu)_v1.5+x") == "Zürich 2 (neu)_v1.5+x"


def test_a_user_has_a_share_of_the_room(store: JobStore) -> None:
    """Beyond it nothing more is taken in, and beyond the whole nobody's; deleting makes room again."""
    first = add(store, "ada", 1900)
    assert store.find("ada", first.id).bytes >= 1900
    with store.drafting("ada", "a.txt", "") as (_, path, room):
        assert room <= 100
        (path / "data" / "a.txt").write_bytes(b"x" * 200)
    with pytest.raises(InputError, match="room"), store.drafting("ada", "a.txt", ""):
        pass
    add(store, "bob", 1000)
    with pytest.raises(InputError, match="room"), store.drafting("eve", "a.txt", ""):
        pass
    store.delete(first)
    with store.drafting("ada", "a.txt", "") as (_, _, room):
        assert room > 1000


def test_as_many_wait_as_may(store: JobStore) -> None:
    """The third of one user is refused, another's is not; one that was started is not started twice."""
    jobs = [add(store, "ada") for _ in range(3)]
    for i, job in enumerate(jobs[:2]):
        store.ask(job, Choices(name=f"run {i}", model="m"))
    with pytest.raises(InputError, match="2"):
        store.ask(jobs[2], Choices(name="third", model="m"))
    with pytest.raises(InputError, match="already"):
        store.ask(store.find("ada", jobs[0].id), Choices(name="again", model="m"))
    assert store.ask(add(store, "bob"), Choices(name="run 0", model="m")).state == "waiting"


def test_an_upload_that_fails_leaves_nothing(store: JobStore) -> None:
    """Whatever was written of it."""
    with pytest.raises(InputError, match="broken"), store.drafting("ada", "a.txt", "") as (_, path, _):
        (path / "data" / "a.txt").write_bytes(b"x")
        raise InputError("broken")
    assert store.all() == [] and list(store.folder.iterdir()) == []


def test_old_drafts_are_forgotten(store: JobStore) -> None:
    """With their data; a run that was asked for is not."""
    draft, run = add(store, "ada"), add(store, "ada", name="mine")
    for job in (draft, run):
        store.put(replace(store.find("ada", job.id), created=time.time() - 4000))
    add(store, "bob")
    assert [job.id for job in store.of("ada")] == [run.id] and not store.path(draft).exists()


def test_the_next_server_finds_what_was_there(store: JobStore) -> None:
    """Of a damaged record it says so in the log, and leaves the files alone; a half deleted job goes."""
    mine, damaged = add(store, "ada", name="mine"), add(store, "ada", name="damaged")
    (store.path(damaged) / RECORD).write_text('{"id": 5')
    (store.folder / ".gone-x").mkdir()
    store.close()
    again = JobStore(store.folder, store.limits)
    again.open()
    assert [job.id for job in again.all()] == [mine.id]
    assert store.path(damaged).is_dir() and not (store.folder / ".gone-x").exists()
    assert json.loads((store.path(mine) / RECORD).read_text())["owner"] == "ada"


@pytest.mark.parametrize("file", ["x.pkl", "x.exe", "x", "x.pt", "photos.jpg"])
def test_only_files_of_sentences_are_taken(file: str) -> None:
    """Told by the ending, before anything is read."""
    with pytest.raises(InputError, match="ending"):
        suffix_of(file)
    assert suffix_of("A.CSV") == ".csv"

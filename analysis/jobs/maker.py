"""Makes runs of data sets for the users of a server: looks at uploads, starts, stops, names, packs and deletes runs."""

from __future__ import annotations

import shutil
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import BoundedSemaphore, Lock
from typing import Any

from analysis.jobs.choices import read_choices
from analysis.jobs.commands import report_command
from analysis.jobs.description import Description
from analysis.jobs.job import DATA, PHOTOS, UPLOAD, Choices, Job, read_description
from analysis.jobs.models import Models
from analysis.jobs.process import command, end, last_words, process_environment, start
from analysis.jobs.store import JobLimits, JobStore, suffix_of
from analysis.jobs.timing import Timing, timing
from analysis.jobs.worker import JobWorker
from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig

_LOOKS = 2
_LOOK_SECONDS = 200.0
_BUSY_SECONDS = 30.0
_REPORT_SECONDS = 300.0
_REPORT = "report.html"
_CUT_SHORT = "The data set takes more time or memory to read than this server allows; upload a part of it."


@dataclass(frozen=True, slots=True, kw_only=True)
class JobView:
    """A job as its user may see it.

    Attributes:
        job: the job.
        ahead: jobs that are done before it begins, while it waits.
        timing: how far it is, while it is at work.
    """

    job: Job
    ahead: int = 0
    timing: Timing | None = None


class RunMaker:
    """Makes runs; every call is a user's, and none reaches another's.

    Args:
        store: the jobs.
        models: to choose from.
        folders: folders of photos on this machine, by name.
    """

    def __init__(self, store: JobStore, models: Models, folders: Mapping[str, Path]) -> None:
        self.store, self.models, self.folders = store, models, dict(folders)
        self.worker = JobWorker(store, models)
        self._looking = BoundedSemaphore(_LOOKS)
        self._reporting = Lock()

    def look(
        self, owner: str | None, data: Path, *, photos: Path | None = None, folder: str = "", language: str = ""
    ) -> tuple[Job, Description]:
        """Take an upload in and say what was understood of it; what cannot be read is thrown away again.

        Args:
            owner: the user.
            data: the uploaded data set, which is moved.
            photos: a zip of photos, which is moved.
            folder: name of a folder of photos on this machine instead.
            language: of a file that does not say.

        Raises:
            InputError: if there is no room, or the upload cannot be read.
        """
        suffix = suffix_of(data.name)
        source = self._folder(folder) if folder else None
        if photos is not None and photos.suffix.lower() != ".zip":
            raise InputError(f"{photos.name[:60]!r} is no zip; pack the photos into one.")
        with self._turn(), self.store.drafting(owner, data.name, language) as (job, path, room):
            target = path / UPLOAD / "data.zip" if suffix == ".zip" else path / DATA / _plain(data, suffix)
            _move(data, target, room)
            if photos is not None:
                _move(photos, path / UPLOAD / "photos.zip", room)
            elif source is not None:
                (path / PHOTOS).symlink_to(source)
            description = self._described(path, room, language)
        return self.store.find(owner, job.id), description

    def description(self, job: Job) -> Description:
        """Return what was understood of a job's data."""
        return read_description(self.store.path(job))

    def start(self, owner: str | None, id: object, asked: Mapping[str, Any]) -> Job:
        """Put a run in the queue.

        Raises:
            InputError: naming what cannot be.
        """
        job = self.store.find(owner, id)
        choices = read_choices(asked, self.description(job), self.models, self.store.limits.sentences)
        return self.worker.submit(job, choices)

    def go_on(self, owner: str | None, id: object) -> Job:
        """Put a run that failed or was cancelled in the queue again; what is finished of it is not done again."""
        job = self.store.find(owner, id)
        if not isinstance(job.choices, Choices):
            raise InputError("Say first what the run is to be.")
        return self.worker.submit(job, job.choices)

    def cancel(self, owner: str | None, id: object) -> None:
        """Stop a run."""
        self.worker.cancel(self.store.find(owner, id))

    def rename(self, owner: str | None, id: object, name: object) -> Job:
        """Rename a complete run."""
        job = self.store.find(owner, id)
        renamed = self.store.rename(job, name)
        (self.store.path(job) / _REPORT).unlink(missing_ok=True)  # it says the old name
        return renamed

    def delete(self, owner: str | None, id: object) -> None:
        """Stop a run and delete it with its data and photos."""
        job = self.store.find(owner, id)
        self.worker.cancel(job)
        self.store.delete(job)

    def views(self, owner: str | None) -> list[JobView]:
        """Return a user's jobs, the newest first, without data sets on which no run was started."""
        return [self.view(job) for job in self.store.of(owner) if job.state != "draft"]

    def view(self, job: Job) -> JobView:
        """Return how far a job is."""
        if job.state == "waiting":
            return JobView(job=job, ahead=self.worker.ahead_of(job))
        if job.state == "running" and job.choices is not None:
            sentences = self.description(job).sentences_of(job.choices.limit)
            return JobView(job=job, timing=timing(self.store.path(job), sentences, studies=job.choices.studies))
        return JobView(job=job)

    def pack(self, owner: str | None, id: object, target: Path) -> None:
        """Write a complete run as a zip.

        Raises:
            InputError: if it is not complete.
        """
        job, run = self._complete(owner, id)
        with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(run.iterdir()):
                archive.write(file, f"{job.name}/{file.name}")

    def report(self, owner: str | None, id: object) -> Path:
        """Return the HTML report of a complete run, written when it is first asked for.

        Raises:
            InputError: if the run is not complete, or the report takes too long.
        """
        job, _ = self._complete(owner, id)
        path = self.store.path(job)
        with self._reporting:  # one at a time: it takes a core
            if not (path / _REPORT).is_file() and job.choices is not None:
                self._run(report_command(job.choices, _REPORT), path, _REPORT_SECONDS)
                self.store.measure(job)
        if not (path / _REPORT).is_file():
            raise InputError(last_words(path) or "The report could not be written.")
        return path / _REPORT

    def _complete(self, owner: str | None, id: object) -> tuple[Job, Path]:
        job = self.store.find(owner, id)
        if job.state != "finished":
            raise InputError(f"The run {job.name!r} is not complete.")
        return job, self.store.run_of(job)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until fewer uploads are being looked at, which takes a core each, but not for long."""
        if not self._looking.acquire(timeout=_BUSY_SECONDS):
            raise InputError("Other data sets are being read at the moment; try again in a minute.")
        try:
            yield
        finally:
            self._looking.release()

    def _described(self, path: Path, room: int, language: str) -> Description:
        arguments = [str(room), str(self.store.limits.photo), *([language] if language else [])]
        self._run(command("analysis.jobs.look", *arguments), path, _LOOK_SECONDS)
        try:
            description = read_description(path)
        except InputError as error:
            raise InputError(_CUT_SHORT) from error
        if description.problem:
            raise InputError(description.problem)
        return description

    def _run(self, arguments: list[str], path: Path, seconds: float) -> None:
        """Run a program in a job's folder until it ends or is out of time."""
        process = start(arguments, path, process_environment(path))
        try:
            process.wait(seconds)
        except subprocess.TimeoutExpired:
            end(process.pid, lambda: process.poll() is not None)

    def _folder(self, name: str) -> Path:
        if name not in self.folders:
            raise InputError(f"There is no folder of photos {name[:60]!r} that runs may read.")
        return self.folders[name]


def open_maker(config: ServingConfig, checkpoints: Mapping[str, Path]) -> RunMaker:
    """Return what makes the runs of a server, as its settings say.

    Args:
        config: the settings.
        checkpoints: folders of the models by name, the default first.

    Raises:
        InputError: if a setting names no model, or no folder.
    """
    limits = JobLimits(
        sentences=config.run_sentences,
        seconds=60 * config.run_minutes,
        memory=int(1e6 * config.run_memory_mb),
        waiting=config.run_waiting,
        space=int(1e6 * config.run_space_mb),
        share=int(1e6 * config.run_share_mb),
        photo=config.image_limits.max_bytes,
    )
    models = Models.of(checkpoints, config.run_models)
    return RunMaker(JobStore(config.run_folder, limits), models, _by_name(config.run_photos))


def _by_name(folders: tuple[Path, ...]) -> dict[str, Path]:
    """Return folders by name, with its parent's before one that is taken.

    Raises:
        InputError: if one is not there.
    """
    found: dict[str, Path] = {}
    for folder in folders:
        if not (path := folder.resolve()).is_dir():
            raise InputError(f"run_photos: {folder} is no folder.")
        found[path.name if path.name not in found else f"{path.parent.name}/{path.name}"] = path
    return found


def _plain(data: Path, suffix: str) -> str:
    """Return the name of an uploaded file in the job's folder: the visitor's, with the ending in lower case."""
    return f"{data.stem.lstrip('.-') or 'data'}{suffix}"


def _move(upload: Path, target: Path, room: int) -> None:
    if (size := upload.stat().st_size) > room:
        raise InputError(f"The upload has {size / 1e6:,.0f} MB; there is room for {room / 1e6:,.0f} MB.")
    shutil.move(upload, target)

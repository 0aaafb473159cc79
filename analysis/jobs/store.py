"""Keeps the jobs of a server: one folder each, belonging to users, within the room that they may take."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import Any

from analysis.jobs.job import (
    DATA,
    RECORD,
    RUN,
    UPLOAD,
    Choices,
    Job,
    check_run_name,
    read_job,
    write_job,
)
from analysis.jobs.look import DATA_ENDINGS
from mmner_core.errors import InputError

log = logging.getLogger(__name__)
DRAFT_SECONDS = 3600.0
"""A data set on which no run was started is removed after so long."""
_TAKEN = "Another server that runs uses the folder of runs {folder}; name another with run_home."
_UNKNOWN = "There is no such run; it may have been deleted."
_FULL = "There is no room for {more:,.0f} MB more ({used:,.0f} of {most:,.0f} MB are taken); delete runs or data."
_GONE = ".gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class JobLimits:
    """What the jobs of a server may take.

    Attributes:
        sentences: of a run.
        seconds: of a run.
        memory: bytes that a run may hold, with all processes that it starts.
        waiting: runs of one user that wait or are at work.
        space: bytes on the disk, of all jobs.
        share: bytes of one user's.
        photo: bytes of a photo.
    """

    sentences: int = 5_000
    seconds: float = 7200.0
    memory: int = 8_000_000_000
    waiting: int = 4
    space: int = 8_000_000_000
    share: int = 2_000_000_000
    photo: int = 30_000_000


class JobStore:
    """The jobs in a folder, of which only one process at a time may be in charge.

    Nothing is made on the disk before the first upload, except where the folder is there already.

    Args:
        folder: has a folder for each job.
        limits: what they may take.
    """

    def __init__(self, folder: Path, limits: JobLimits) -> None:
        self.folder, self.limits = folder.absolute(), limits
        self._jobs: dict[str, Job] = {}
        self._lock = RLock()
        self._held: int | None = None

    def open(self) -> None:
        """Take charge of the folder and read the jobs in it; a second call does nothing.

        Raises:
            InputError: if another process is in charge, or it cannot be written.
        """
        with self._lock:
            if self._held is not None:
                return
            try:
                self.folder.mkdir(parents=True, exist_ok=True)
                held = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY)
            except OSError as error:
                raise InputError(f"The folder of runs {self.folder} cannot be used: {error.strerror}.") from error
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                os.close(held)
                raise InputError(_TAKEN.format(folder=self.folder)) from error
            self._held = held
            for path in sorted(self.folder.iterdir()):
                if path.name.startswith(_GONE):
                    shutil.rmtree(path, ignore_errors=True)
                elif (path / RECORD).is_file():
                    self._read(path)

    def close(self) -> None:
        """Let another process be in charge."""
        with self._lock:
            if self._held is not None:
                os.close(self._held)
                self._held = None

    def path(self, job: Job) -> Path:
        """Return a job's folder."""
        return self.folder / job.id

    def run_of(self, job: Job) -> Path:
        """Return where a job's run lies once it is complete."""
        return self.path(job) / RUN / job.name

    def all(self) -> list[Job]:
        """Return every job, the oldest first."""
        with self._lock:
            return sorted(self._jobs.values(), key=lambda job: job.created)

    def of(self, owner: str | None) -> list[Job]:
        """Return a user's jobs, the newest first."""
        return [job for job in reversed(self.all()) if job.owner == owner]

    def find(self, owner: str | None, id: object) -> Job:
        """Return a user's job.

        Raises:
            InputError: if there is none of that id, or it is another user's.
        """
        with self._lock:
            job = self._jobs.get(id) if isinstance(id, str) else None
        if job is None or job.owner != owner:
            raise InputError(_UNKNOWN)
        return job

    def runs(self, owner: str | None) -> list[Path]:
        """Return the complete runs of a user, the newest first."""
        return [self.run_of(job) for job in self.of(owner) if job.state == "finished"]

    @contextmanager
    def drafting(self, owner: str | None, file: str, language: str) -> Iterator[tuple[Job, Path, int]]:
        """Make a job for a data set; if the block fails, nothing is left of it.

        Yields:
            The job, its folder with an empty ``upload`` and ``data`` in it, and how many bytes there is room for.

        Raises:
            InputError: if there is no room.
        """
        self.open()
        self.forget_drafts()
        job = Job(id=secrets.token_hex(8), owner=owner, file=file, created=time.time(), language=language)
        path = self.path(job)
        room = self._room(owner)
        try:
            (path / UPLOAD).mkdir(parents=True)
            (path / DATA).mkdir()
            yield job, path, room
            shutil.rmtree(path / UPLOAD, ignore_errors=True)
            self.put(replace(job, bytes=folder_bytes(path)))
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise

    def put(self, job: Job) -> Job:
        """Write a job down; return it."""
        with self._lock:
            write_job(self.path(job), job)
            self._jobs[job.id] = job
        return job

    def change(self, job: Job, **changes: Any) -> Job:
        """Write changes of a job down; return it as it is now. One that was deleted meanwhile stays so."""
        with self._lock:
            if job.id not in self._jobs:
                return replace(job, **changes)
            return self.put(replace(self._jobs[job.id], **changes))

    def ask(self, job: Job, choices: Choices) -> Job:
        """Put a job in the queue.

        Raises:
            InputError: if it is there or done already, its name is taken, or as many as allowed wait.
        """
        with self._lock:
            if job.state not in ("draft", "failed", "cancelled"):
                raise InputError(f"The run {job.name!r} was started already.")
            self._check_name(job, choices.name)
            self._room(job.owner)
            active = sum(other.active for other in self.of(job.owner))
            if active >= self.limits.waiting:
                raise InputError(f"{active} of your runs wait or are at work already; wait until one is done.")
            return self.change(job, choices=choices, state="waiting", asked=time.time(), problem="")

    def rename(self, job: Job, name: object) -> Job:
        """Give a complete run another name.

        Raises:
            InputError: if it is not complete, or the name is taken or none.
        """
        name = check_run_name(name)
        with self._lock:
            job = self._jobs.get(job.id, job)
            if job.state != "finished" or job.choices is None:
                raise InputError("Only a complete run can be renamed.")
            if name == job.name:
                return job
            self._check_name(job, name)
            self.run_of(job).rename(self.run_of(job).with_name(name))
            return self.change(job, choices=replace(job.choices, name=name))

    def delete(self, job: Job) -> None:
        """Remove a job that is not at work, with all its files."""
        with self._lock:
            if self._jobs.pop(job.id, None) is None:
                return
            gone = self.folder / f"{_GONE}-{job.id}"
            self.path(job).rename(gone)
        shutil.rmtree(gone, ignore_errors=True)

    def measure(self, job: Job) -> Job:
        """Write down how much room a job takes."""
        return self.change(job, bytes=folder_bytes(self.path(job)))

    def allowed_bytes(self, job: Job) -> int:
        """Return what a job may take on the disk beside all others."""
        with self._lock:
            others = [other for other in self._jobs.values() if other.id != job.id]
        share = self.limits.share - sum(other.bytes for other in others if other.owner == job.owner)
        return max(0, min(share, self.limits.space - sum(other.bytes for other in others)))

    def forget_drafts(self) -> None:
        """Delete the data sets on which no run was started in time."""
        for job in self.all():
            if job.state == "draft" and time.time() - job.created > DRAFT_SECONDS:
                self.delete(job)

    def _read(self, path: Path) -> None:
        try:
            job = read_job(path)
        except InputError:
            log.warning("the job %s is damaged and was left out", path.name)
            return
        if job.id == path.name:
            self._jobs[job.id] = job

    def _check_name(self, job: Job, name: str) -> None:
        if any(other.id != job.id and other.choices and other.name == name for other in self.of(job.owner)):
            raise InputError(f"You have a run {name!r} already; choose another name.")

    def _room(self, owner: str | None) -> int:
        """Return how many bytes a user's new files may take.

        Raises:
            InputError: if there are none left.
        """
        with self._lock:
            own = sum(job.bytes for job in self._jobs.values() if job.owner == owner)
            used = sum(job.bytes for job in self._jobs.values())
        for taken, most in ((own, self.limits.share), (used, self.limits.space)):
            if taken >= most:
                raise InputError(_FULL.format(more=1, used=taken / 1e6, most=most / 1e6))
        return min(self.limits.share - own, self.limits.space - used)


def folder_bytes(folder: Path) -> int:
    """Return what the files of a folder take, without those behind links."""
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):  # gone meanwhile
                total += (Path(place) / name).lstat().st_size
    return total


def suffix_of(file: str) -> str:
    """Return the ending that a data set's file is known by, lower case.

    Raises:
        InputError: if it has none that is read.
    """
    suffix = Path(file).suffix.lower()
    if suffix not in (*DATA_ENDINGS, ".zip"):
        raise InputError(
            f"{file[:60]!r} is no data set by its ending; upload {', '.join(DATA_ENDINGS)}, or a zip of such files."
        )
    return suffix

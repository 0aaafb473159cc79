"""A job: a data set that somebody uploaded and the run that is made of it, a folder on the disk.

====================== =========================================================================================
job.json               the :class:`Job`
upload/                what was uploaded, until it is looked at
data/, photos/         the data set, and its photos or a link to a folder of the server
description.json       what was understood of it (:class:`analysis.jobs.description.Description`)
progress.json          how far the run is (:mod:`mmner_core.runtime.progress`)
log.txt                what the run's process said
run/NAME/              the run, once it is complete
lock                   held by the process at work
====================== =========================================================================================
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from analysis.jobs.description import Description
from mmner_core.config import parse
from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_write
from mmner_core.runtime.json_files import read_object

State = Literal["draft", "waiting", "running", "finished", "failed", "cancelled"]
RECORD, DESCRIPTION, PROGRESS, LOG, LOCK = "job.json", "description.json", "progress.json", "log.txt", "lock"
UPLOAD, DATA, PHOTOS, RUN, MODELS = "upload", "data", "photos", "run", "checkpoints"
ACTIVE: tuple[State, ...] = ("waiting", "running")
_NAME = re.compile(r"[^\W_](?:[\w .()+-]{0,46}[\w()+])?")
_DAMAGED = "the job is damaged, delete its folder"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What a run is to be.

    Attributes:
        name: of the run.
        model: name of a checkpoint, or of a model of somebody's own.
        convention: annotation convention to read by; empty: the checkpoint's default.
        conditions: image conditions; empty: the usual ones.
        corruptions: every corruption at every severity as well.
        studies: Shapley shares and the tests of heat maps as well.
        types: what types of the data are to be called; ``O`` leaves them out.
        limit: only the first so many sentences of each language; None: all.
    """

    name: str
    model: str
    convention: str = ""
    conditions: tuple[str, ...] = ()
    corruptions: bool = False
    studies: bool = True
    types: dict[str, str] = field(default_factory=dict)
    limit: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A data set and the run of it.

    Attributes:
        id: name of its folder.
        owner: the user it belongs to; None where nobody logs in.
        file: what the data set was called.
        created: seconds since 1970.
        language: of a file that does not say; empty: not stated.
        state: a draft has a data set and no choices yet.
        choices: what the run is to be; None for a draft.
        asked: when it was put in the queue.
        started, ended: when its process was started last, and ended.
        pid: of that process; 0: there is none.
        bytes: on the disk.
        problem: why it failed.
    """

    id: str
    owner: str | None
    file: str
    created: float
    language: str = ""
    state: State = "draft"
    choices: Choices | None = None
    asked: float = 0.0
    started: float = 0.0
    ended: float = 0.0
    pid: int = 0
    bytes: int = 0
    problem: str = ""

    @property
    def name(self) -> str:
        """Return the name of the run, of a draft that of its data."""
        return self.file if self.choices is None else self.choices.name

    @property
    def active(self) -> bool:
        """Return whether it waits or is at work."""
        return self.state in ACTIVE


def check_run_name(name: object) -> str:
    """Return a name that a run, and its folder, may have.

    Raises:
        InputError: if it may not.
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise InputError(
            f"{str(name)[:60]!r} cannot be the name of a run; use up to 48 letters, digits, spaces and any of .()+-_, "
            "a letter or digit first."
        )
    return name


def job_folder(run: Path) -> Path | None:
    """Return the folder of the job that has made a run, None for a run that lies elsewhere."""
    home = run.absolute().parent.parent
    return home if run.absolute().parent.name == RUN and (home / RECORD).is_file() else None


def read_job(folder: Path) -> Job:
    """Read a job's record.

    Raises:
        InputError: if it is damaged.
    """
    return parse(Job, read_object(folder / RECORD, _DAMAGED), str(folder / RECORD))


def write_job(folder: Path, job: Job) -> None:
    """Write a job's record.

    Raises:
        OSError: if it cannot be written.
    """
    _write(folder / RECORD, asdict(job))


def read_description(folder: Path) -> Description:
    """Read what was understood of a job's data.

    Raises:
        InputError: if it is damaged, or the data were not looked at.
    """
    return parse(Description, read_object(folder / DESCRIPTION, _DAMAGED), str(folder / DESCRIPTION))


def write_description(folder: Path, description: Description) -> None:
    """Write what was understood of a job's data.

    Raises:
        OSError: if it cannot be written.
    """
    _write(folder / DESCRIPTION, asdict(description))


def _write(file: Path, record: dict[str, object]) -> None:
    with atomic_write(file) as part:
        part.write_text(json.dumps(record), encoding="utf-8")

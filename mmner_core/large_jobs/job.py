"""The record of a large job: input, checkpoint and settings, so that only the same job is resumed."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from mmner_core.data.text_files import write_lines
from mmner_core.errors import InputError
from mmner_core.large_jobs.inputs import InputFile
from mmner_core.runtime.atomic import would_replace
from mmner_core.runtime.interrupts import held

JOB = "job.json"
_LOCK = ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeJobSettings:
    """What changes the output: image folder, language and convention of rows without, comparison, rows per shard.

    ``columns`` numbers the output's columns: a folder begun with others is not gone on with.
    """

    images: str
    lang: str | None
    convention: str | None
    compare: bool
    shard_rows: int
    columns: int = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class LargeJob:
    """Everything that decides the rows of the output."""

    input: tuple[InputFile, ...]
    checkpoint: str
    settings: LargeJobSettings

    @property
    def digest(self) -> str:
        """Return 16 hex digits of the SHA-256 over all of it."""
        record = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(record.encode()).hexdigest()[:16]


def begin(output: Path, job: LargeJob, facts: dict[str, Any]) -> bool:
    """Record the job in a new output folder, or check that it is the one begun there; return whether it was begun.

    Args:
        output: folder of the job.
        job: what is to be done.
        facts: what else to write down: versions, command, number format.

    Raises:
        InputError: if the folder holds something else, or another job.
    """
    file = output / JOB
    if file.is_file():
        _compare(output, _read(file), json.loads(json.dumps(asdict(job))))
        return True
    ours = (_LOCK, f".{JOB}.")  # the latter: left by a run that was killed while it wrote the job down
    strangers = [path.name for path in output.iterdir() if not path.name.startswith(ours)] if output.is_dir() else []
    if strangers:
        raise InputError(f"{output} holds other files ({sorted(strangers)[0]}); give a new or empty --output folder.")
    record = {"format_version": 1, "digest": job.digest, **asdict(job), "begun": f"{datetime.now(UTC):%FT%TZ}", **facts}
    output.mkdir(parents=True, exist_ok=True)
    write_lines(file, [json.dumps(record, indent=2, ensure_ascii=False) + "\n"])
    return False


def _read(file: Path) -> dict[str, Any]:
    try:
        record = json.loads(file.read_text(encoding="utf-8"))
        return {name: record[name] for name in ("input", "checkpoint", "settings")}
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise InputError(f"{file} is damaged; remove its folder, or give another --output.") from error


def _compare(output: Path, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Refuse to resume anything but the same job, saying what differs."""
    if old == new:
        return
    changes = []
    before, after = ({file["name"]: file for file in record["input"]} for record in (old, new))
    for name in sorted(before.keys() | after.keys()):
        if before.get(name) != after.get(name):
            changes.append(
                f"{name} {'was added' if name not in before else 'is gone' if name not in after else 'changed'}"
            )
    if len(changes) > 3:
        changes = [*changes[:3], f"and {len(changes) - 3} more files"]
    if old["checkpoint"] != new["checkpoint"]:
        changes.append(f"the checkpoint was {old['checkpoint']} and is {new['checkpoint']}")
    for name in sorted(old["settings"].keys() | new["settings"].keys()):
        was, is_ = old["settings"].get(name), new["settings"].get(name)
        if was != is_:
            changes.append(f"{name.replace('_', '-')} was {was} and is {is_}")
    raise InputError(
        f"{output} was begun with something else: {', '.join(changes)}; restore it, or give another --output."
    )


@contextlib.contextmanager
def alone(output: Path) -> Iterator[None]:
    """Lock the output folder against other runs; the lock ends with the process, however that ends.

    In the end the lock's file goes, and the folder if nothing came into it, such as after a refusal.

    Raises:
        InputError: if another run has it, or it cannot be written.
    """
    made = not would_replace(output)
    if not made and not output.is_dir():
        raise InputError(f"{output} is not a folder; give a new or empty --output folder.")
    with held(), _locked(output) as lock:
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)  # while it is held: whoever opened it meanwhile sees that it is gone
            if made:
                with contextlib.suppress(OSError):  # it is not empty
                    output.rmdir()


@contextlib.contextmanager
def _locked(output: Path) -> Iterator[Path]:
    import fcntl

    lock = output / _LOCK
    while True:
        try:
            output.mkdir(parents=True, exist_ok=True)
            file = lock.open("a")
        except FileNotFoundError:  # the run before took the folder away just now
            continue
        except OSError as error:
            raise InputError(f"{output} cannot be written to: {error.strerror or error}.") from error
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                raise InputError(f"Another run is writing to {output}; wait for it, or stop it first.") from error
            if _is_still(lock, file):
                yield lock
                return


def _is_still(lock: Path, file: IO[str]) -> bool:
    """Return whether an open file is the one of that name, not one that an earlier run has removed."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), lock.stat())
    except FileNotFoundError:
        return False

"""Starts a program of ours in a group of its own, at the lowest priority, and ends it with all that it started."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from io import BufferedWriter
from pathlib import Path

from analysis.jobs.job import LOCK, LOG, PROGRESS
from mmner_core.data.embedded import CACHE_FOLDER
from mmner_core.runtime.progress import PROGRESS_FILE
from mmner_core.runtime.repository import REPOSITORY

_IDLE = 19
_PATIENCE = 10.0
_LAST_WORDS = 4000
_OWN = ("MMNER_WEIGHTS",)
"""Of the server's settings in the environment, those that a run may know: passwords are among the others."""


def process_environment(folder: Path, *, own_code: bool = False) -> dict[str, str]:
    """Return the environment of a program that works on a job.

    Args:
        folder: the job's.
        own_code: whether modules in the server's working folder may be imported.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MMNER_") or name in _OWN}
    paths = [str(REPOSITORY), *([str(Path.cwd())] if own_code else []), *filter(None, [kept.get("PYTHONPATH")])]
    return kept | {
        "PYTHONPATH": os.pathsep.join(paths),
        "HF_HUB_OFFLINE": "1",
        "HF_DATASETS_CACHE": str(folder / "cache"),
        CACHE_FOLDER: ".",  # below the job's folder, in which the program works
        PROGRESS_FILE: str(folder / PROGRESS),
    }


def command(module: str, *arguments: str) -> list[str]:
    """Return the command line of a module of ours; it imports nothing from its working folder, which holds uploads."""
    return [sys.executable, "-P", "-m", module, *arguments]


def start(arguments: Sequence[str], folder: Path, variables: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """Start a program in a job's folder; it holds the job's lock until it ends.

    Raises:
        OSError: if it cannot be started.
        ValueError: if an argument cannot be one.
    """
    with open_lock(folder) as lock, (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            list(arguments),
            cwd=folder,
            env=dict(variables),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            pass_fds=[lock.fileno()],
        )
    with contextlib.suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, process.pid, _IDLE)
    return process


def open_lock(folder: Path) -> BufferedWriter:
    """Open a job's lock and take it.

    Raises:
        BlockingIOError: if a process is at work on the job.
    """
    lock = (folder / LOCK).open("wb")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.close()
        raise
    return lock


def end(pid: int, ended: Callable[[], bool], patience: float = _PATIENCE) -> None:
    """End a program, first as it would end itself, then by force, and whatever it started.

    Args:
        pid: its number, which is also its group's; it must be ours still.
        ended: says whether it is gone.
        patience: seconds that it has for its own end.
    """
    started = [pid, *_descendants(pid)]
    _signal(pid, signal.SIGTERM)
    until = time.monotonic() + patience
    while not ended() and time.monotonic() < until:
        time.sleep(0.05)
    for group in started:
        _signal(group, signal.SIGKILL)
    until = time.monotonic() + patience
    while not ended() and time.monotonic() < until:
        time.sleep(0.05)


def end_abandoned(folder: Path, pid: int) -> None:
    """End the program of a server that was killed, if it is still at work on the job: nobody would hear of its end."""

    def ended() -> bool:
        try:
            open_lock(folder).close()
        except BlockingIOError:
            return False
        return True

    # As long as the lock is held, the number is that of its holder, and no other program's.
    if pid > 1 and not ended():
        end(pid, ended)


def resident_bytes(pid: int) -> int:
    """Return the memory that a program and whatever it started hold now; 0 where the system does not tell.

    What several of them share is counted for each: they are few, and share little but libraries.
    """
    pages = 0
    for number in (pid, *_descendants(pid)):
        with contextlib.suppress(OSError, ValueError, IndexError):  # it has ended meanwhile
            pages += int(Path(f"/proc/{number}/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def last_words(folder: Path) -> str:
    """Return the last line of what a job's programs said."""
    try:
        said = (folder / LOG).read_bytes()[-_LAST_WORDS:].decode("utf-8", "replace")
    except OSError:
        return ""
    return next((line.strip() for line in reversed(said.splitlines()) if line.strip()), "")


def _signal(group: int, number: int) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _descendants(pid: int) -> list[int]:
    """Return the processes that one has started, and that these have; none where the system does not tell.

    A model of somebody's own has a group of its own.
    """
    parents: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            fields = status.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            parents.setdefault(int(fields[1]), []).append(int(status.parent.name))
    found, waiting = [], [pid]
    while waiting:
        children = parents.get(waiting.pop(), [])
        found += children
        waiting += children
    return found

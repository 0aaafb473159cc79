"""A private folder for as long as this process lives; those of dead processes are cleared away."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import re
import shutil
import tempfile
from pathlib import Path

from mmner_core.errors import InputError

log = logging.getLogger(__name__)
_TRIES = 10
_NAME = re.compile(r"\d+-[a-z0-9_]{8}")  # the process, for whoever looks for it, and what makes it unique


class OwnFolder:
    """A fresh folder that only this user may enter, locked until :meth:`close` or the end of the process.

    The folder itself is locked: unlike a process number, a lock dies with its process and is never another's, and
    systemd's cleaner of temporary folders respects it.

    Args:
        stem: how its name begins.
        parent: where to make it.

    Raises:
        InputError: if nothing can be written there.
    """

    def __init__(self, stem: str, parent: Path) -> None:
        try:
            _remove_abandoned(stem, parent)
            self.path, self._lock = _make_locked(stem, parent)
        except OSError as error:
            raise InputError(
                f"Nothing can be written in the temporary folder {parent} ({error.strerror}); name another in TMPDIR."
            ) from error

    def keep(self) -> None:
        """Make the folder again if somebody removed it, as cleaners of temporary folders do."""
        with contextlib.suppress(OSError):
            self.path.mkdir(mode=0o700, exist_ok=True)
            if not _is(self.path, self._lock):
                os.close(self._lock)
                self._lock = _open_locked(self.path)

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self.path, ignore_errors=True)
        with contextlib.suppress(OSError):
            os.close(self._lock)


def temporary_folder() -> Path:
    """Return the folder for temporary files.

    Raises:
        InputError: if the environment names one that cannot be written, or there is none.
    """
    try:
        found = Path(tempfile.gettempdir())
    except OSError as error:
        raise InputError("There is no folder for temporary files that can be written; name one in TMPDIR.") from error
    named = next(((name, os.environ[name]) for name in ("TMPDIR", "TEMP", "TMP") if os.environ.get(name)), None)
    if named is not None and Path(named[1]).absolute() != found:
        raise InputError(f"{named[0]} names {named[1]}, which is no folder that can be written; name another.")
    return found


def _make_locked(stem: str, parent: Path) -> tuple[Path, int]:
    for _ in range(_TRIES):
        folder = Path(tempfile.mkdtemp(prefix=f"{stem}{os.getpid()}-", dir=parent))
        with contextlib.suppress(BlockingIOError, FileNotFoundError):
            lock = _open_locked(folder)
            if _is(folder, lock):
                return folder, lock
            os.close(lock)
        # Another that starts at this moment took it for abandoned before it was locked.
    raise OSError(0, "folders made there vanish")


def _open_locked(folder: Path) -> int:
    """Open and lock a folder without waiting; where folders cannot be locked, as over a network, only open it.

    Raises:
        BlockingIOError: if another has locked it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise
    except OSError:
        log.info("%s cannot be locked; it stays behind if this server is killed", folder)
    return descriptor


def _is(folder: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(folder.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_abandoned(stem: str, parent: Path) -> None:
    """Remove this user's folders whose process no longer lives."""
    for folder in parent.glob(f"{stem}*"):
        if not _NAME.fullmatch(folder.name.removeprefix(stem)):
            continue
        with contextlib.suppress(OSError):  # in use, gone meanwhile, or not ours
            descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
            try:
                if os.fstat(descriptor).st_uid == os.getuid():
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    log.info("removing the uploads of a server that no longer runs")
                    shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(descriptor)

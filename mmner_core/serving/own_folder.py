"""A private folder for as long as this process lives; what processes that died left behind is cleared away."""

from __future__ import annotations

import contextlib
import fcntl
import logging
import os
import shutil
import tempfile
from pathlib import Path

from mmner_core.errors import InputError

log = logging.getLogger(__name__)
LOCK = ".lock"
_TRIES = 10


class OwnFolder:
    """A fresh folder that only this user may enter, locked until :meth:`close` or the end of the process.

    A lock, unlike a process number in the name, dies with its process and is never another's. A folder without a lock
    file is not ours to judge.

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
        """Make the folder and its lock again if somebody removed them, as cleaners of temporary folders do."""
        with contextlib.suppress(OSError):
            if not _is(self.path / LOCK, self._lock):
                self.path.mkdir(mode=0o700, exist_ok=True)
                os.close(self._lock)
                self._lock = _lock(self.path / LOCK, os.O_CREAT)
            os.utime(self.path / LOCK)

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
        folder = Path(tempfile.mkdtemp(prefix=stem, dir=parent))
        try:
            lock = _lock(folder / LOCK, os.O_CREAT)
        except OSError:
            if folder.exists():
                raise
            continue  # another that starts at this moment took it for abandoned before it was locked
        if _is(folder / LOCK, lock):
            return folder, lock
        os.close(lock)
    raise OSError(0, "folders made there vanish")


def _lock(file: Path, flags: int = 0) -> int:
    """Open and lock a file without waiting."""
    descriptor = os.open(file, os.O_RDWR | os.O_NOFOLLOW | flags, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


def _is(file: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(file.lstat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _remove_abandoned(stem: str, parent: Path) -> None:
    """Remove this user's folders whose process no longer lives."""
    for folder in parent.glob(f"{stem}*"):
        with contextlib.suppress(OSError):  # no lock file, locked, or gone meanwhile
            if folder.is_symlink() or folder.lstat().st_uid != os.getuid():
                continue
            lock = _lock(folder / LOCK)
            try:
                log.info("removing the uploads of a server that no longer runs")
                shutil.rmtree(folder, ignore_errors=True)
            finally:
                os.close(lock)

"""Writes files and folders atomically: whole or not at all.

Each is written under a hidden name beside its own and renamed once it is complete. So a reader finds the old content or
the new, whatever stops the writer: an error, a full disk, a kill. A link stays, and what it points to is replaced. A
stream, such as ``/dev/stdout`` or a device, is written to once all is ready, and never replaced.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmner_core.errors import InputError
from mmner_core.runtime.interrupts import held
from mmner_core.runtime.streams import is_stream, open_output

_PART = ".part"
_LONGEST = 50  # characters kept of a name, each of up to four bytes: with what we add, a name may have 255
_LONGEST_PLAIN = 240  # bytes of a name that "partial" still fits to


def would_replace(path: Path) -> bool:
    """Say whether writing a file or folder would replace one; nothing that goes to a stream is replaced.

    Raises:
        InputError: if there can be none of that name.
    """
    if is_stream(path):
        return False
    try:
        path.stat()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise InputError(f"{path} cannot be written: {error.strerror}.") from error
    return True


@contextmanager
def atomic_write(path: Path) -> Iterator[Path]:
    """Yield an empty file to fill; once the block ends well and all is on the disk, it takes the place of ``path``.

    Several may write the same file at once; the last one to end has written it.

    Raises:
        OSError: if it cannot be written.
    """
    if is_stream(path):
        with held(), tempfile.TemporaryDirectory(prefix="mmner-") as folder:
            part = Path(folder) / "part"
            part.touch()
            yield part
            with part.open("rb") as file, open_output(path) as stream:
                shutil.copyfileobj(file, stream)
        return
    target = Path(os.path.realpath(path))
    permissions = _permissions(target)
    part = target.parent / f".{target.name[:_LONGEST]}.{os.urandom(8).hex()}{_PART}"
    with held():
        part.touch(exist_ok=False)
        try:
            permissions = stat.S_IMODE(part.stat().st_mode) if permissions is None else permissions
            yield part
            with part.open("rb") as file:
                os.fsync(file.fileno())
            part.chmod(permissions)  # safetensors puts a file of its own there, for the owner alone
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)


def _permissions(target: Path) -> int | None:
    """Return those of the file that is replaced, None where there is none.

    Raises:
        OSError: if something else is there, or there can be no file of that name.
    """
    try:
        mode = target.stat().st_mode
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(target))
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "it is a disk or a socket, not a file", str(target))
    return stat.S_IMODE(mode)


def remove_leftovers(folder: Path) -> None:
    """Remove what killed processes left half written in a folder that no other process writes to now."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def atomic_folder(folder: Path, *, what: str) -> Iterator[Path]:
    """Yield an empty folder to fill, :func:`partial_folder`; it takes the place of ``folder`` once the block ends well.

    What was there is only moved aside for that moment, and goes last; see :func:`restore`. One writer at a time.

    Args:
        folder: its parents are made where they are missing.
        what: what to call it in the error, such as "the checkpoint".

    Raises:
        InputError: if it cannot be written; what was there stays.
    """
    from safetensors import SafetensorError

    asked, folder = folder, Path(os.path.realpath(folder))
    partial = partial_folder(folder)
    with held():
        try:
            restore(folder)
            if folder.exists() and not folder.is_dir():
                raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR))
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
            yield partial
            _put_in_place(partial, folder)
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(f"{asked}: {what} could not be written ({reason}); what was there stays.") from error
        finally:
            shutil.rmtree(partial, ignore_errors=True)


def partial_folder(folder: Path) -> Path:
    """Return where :func:`atomic_folder` has a folder filled, for other processes that fill it as well."""
    return _beside(folder, "partial")


def restore(folder: Path) -> None:
    """Restore a folder whose writer was killed after moving it aside and before the new one took its place."""
    old = _aside(folder)
    if old.is_dir() and not folder.exists():
        old.rename(folder)


def _put_in_place(partial: Path, folder: Path) -> None:
    old = _aside(folder)
    shutil.rmtree(old, ignore_errors=True)
    if folder.is_dir():
        folder.rename(old)
    try:
        partial.rename(folder)  # fails over a file, which is not what was asked to be replaced
    except OSError:
        restore(folder)
        raise
    shutil.rmtree(old, ignore_errors=True)


def _aside(folder: Path) -> Path:
    return _beside(folder, "old")


def _beside(folder: Path, what: str) -> Path:
    """Return the hidden folder beside one, or beside what a link points to; its name is the same each time."""
    folder = Path(os.path.realpath(folder))
    name = folder.name
    if len(os.fsencode(name)) > _LONGEST_PLAIN:
        name = f"{name[:_LONGEST]}.{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"
    return folder.parent / f".{name}.{what}"

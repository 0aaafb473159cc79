"""Files and folders that are written whole or not at all.

Each is filled under a hidden name beside its own, and takes its own once it is complete. So whoever reads finds the
old content or the new, whatever stops the writer: an error, a full disk, a kill.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmner_core.errors import InputError

_PART = ".part"
_LONGEST = 50  # characters kept of a name, each of up to four bytes: with what we add, a name may have 255


@contextmanager
def whole_file(path: Path) -> Iterator[Path]:
    """Yield an empty file to fill; once the block ends well and all is on the disk, it takes the place of ``path``.

    Several may write the same file at once; the last one to end has written it.

    Raises:
        OSError: if it cannot be written.
    """
    part = path.parent / f".{path.name[:_LONGEST]}.{os.urandom(8).hex()}{_PART}"
    part.touch(exist_ok=False)
    try:
        permissions = stat.S_IMODE(part.stat().st_mode)
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        part.chmod(permissions)  # safetensors puts a file of its own there, for the owner alone
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def remove_leftovers(folder: Path) -> None:
    """Take away what killed processes left half written in a folder that no other process writes to now."""
    for part in folder.glob(f".*{_PART}"):
        part.unlink(missing_ok=True)


@contextmanager
def whole_folder(folder: Path, *, what: str) -> Iterator[Path]:
    """Yield an empty folder to fill, :func:`partial_folder`; it takes the place of ``folder`` once the block ends well.

    What was there is only moved aside for that moment, and goes last; see :func:`restore`. One writer at a time.

    Args:
        folder: its parents are made where they are missing.
        what: what to call it in the error, such as "the checkpoint".

    Raises:
        InputError: if it cannot be written; what was there stays.
    """
    from safetensors import SafetensorError

    partial = partial_folder(folder)
    try:
        restore(folder)
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        yield partial
        _put_in_place(partial, folder)
    except (OSError, SafetensorError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{folder}: {what} could not be written ({reason}); what was there stays.") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def partial_folder(folder: Path) -> Path:
    """Return where :func:`whole_folder` has a folder filled, for other processes that fill it as well."""
    return folder.parent / f".{folder.name}.partial"


def restore(folder: Path) -> None:
    """Put a folder back that a writer was killed over after moving it aside and before the new one took its place."""
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
    return folder.parent / f".{folder.name}.old"

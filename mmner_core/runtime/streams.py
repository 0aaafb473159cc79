"""Standard input and output, pipes and devices: what is read once from its beginning, and written without replacing."""

from __future__ import annotations

import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from io import BufferedReader
from pathlib import Path
from typing import BinaryIO, cast

from mmner_core.errors import InputError
from mmner_core.runtime.interrupts import held

STANDARD_INPUT, STANDARD_OUTPUT = Path("/dev/stdin"), Path("/dev/stdout")
_NAMED = {"/dev/stdin": 0, "/dev/stdout": 1, "/dev/stderr": 2}  # links, but a container may lack them
_MOST_LINKS = 40  # as many as Linux follows


def is_stream(path: Path) -> bool:
    """Return whether a path is no ordinary file: a descriptor of this process, a pipe, a terminal, a device."""
    if descriptor(path) is not None:
        return True
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)


def descriptor(path: Path) -> int | None:
    """Return which descriptor of this process a path such as ``/dev/stdout`` or a link to it names, if any.

    Each link is followed by hand: the system would go on to the file that the descriptor was opened on, and whoever
    replaces that one, or opens it anew, loses what others wrote to it.
    """
    for _ in range(_MOST_LINKS):
        if str(path) in _NAMED:
            return _NAMED[str(path)]
        folder = os.path.realpath(path.parent)
        if folder in ("/dev/fd", os.path.realpath("/proc/self/fd")) and path.name.isdecimal():
            return int(path.name)
        try:
            path = Path(folder) / os.readlink(path)
        except OSError:  # no link
            return None
    return None


def folder_of(path: Path) -> Path:
    """Return what relative paths in a file are relative to: its folder; of a stream, the working folder."""
    return Path() if descriptor(path) is not None else path.parent


@contextmanager
def open_input(path: Path) -> Iterator[BufferedReader]:
    """Open a file or stream to be read once.

    Raises:
        OSError: if it cannot be opened.
    """
    number = descriptor(path)
    if number == 0:
        if sys.stdin is None:
            raise OSError("it is closed")
        yield cast(BufferedReader, sys.stdin.buffer)
        return
    with path.open("rb") if number is None else os.fdopen(os.dup(number), "rb") as file:
        yield file


@contextmanager
def open_output(path: Path) -> Iterator[BinaryIO]:
    """Open a stream to be written.

    Raises:
        OSError: if it cannot be opened, or not all of it can be written.
    """
    number = descriptor(path)
    if number == 1:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with open(os.open(path, os.O_WRONLY) if number is None else os.dup(number), "wb") as file:
        yield file


@contextmanager
def kept(path: Path) -> Iterator[Path]:
    """Yield a file that can be read repeatedly: the path itself, or a temporary copy of a stream's content.

    An error about the copy names the stream.

    Raises:
        InputError: if the stream cannot be read.
    """
    if not is_stream(path):
        yield path
        return
    with held(), tempfile.TemporaryDirectory(prefix="mmner-") as folder:
        copy = Path(folder) / "stream"
        try:
            with open_input(path) as stream, copy.open("wb") as file:
                shutil.copyfileobj(stream, file)
        except OSError as error:
            raise InputError(f"{path} cannot be read: {error.strerror or error}.") from error
        try:
            yield copy
        except InputError as error:
            raise InputError(str(error).replace(str(copy), str(path))) from error

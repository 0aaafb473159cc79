"""A command that reads and writes JSON lines as a model of your own: for models in other environments and languages.

The command is started once and keeps running. For each line on its standard input it writes one to its standard output
before the next one arrives, so it must not buffer its output (``flush=True`` in Python). Its standard error is shown as
it is.

A line it reads::

    {"words": ["Berlin", "sleeps"], "language": "en", "image": "/tmp/.../1.png"}

``image`` is a PNG file that is there until the answer, or null. A line it writes, of which only the tags are needed::

    {"tags": ["B-LOC", "O"], "probabilities": [{"B-LOC": 0.9, "O": 0.1}, {"O": 1.0}], "maps": [[[0.1, 0.9]]],
     "text_vector": [0.1, 0.2], "image_vector": [0.2, 0.1], "word_vectors": [[1.0, 0.0], [0.0, 1.0]]}

The fields are those of :class:`analysis.own_model.Answer`.
"""

from __future__ import annotations

import json
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import fields
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from analysis.own_model import Answer, Item
from mmner_core.errors import InputError

_FIELDS = tuple(field.name for field in fields(Answer))
_PATIENCE = 2.0


def lines(command: str, images: str = "yes") -> RunningCommand:
    """Start a command.

    Args:
        command: as typed in a shell, but without what only a shell understands (pipes, variables).
        images: "no" for one that reads text only.

    Raises:
        InputError: if it cannot be started.
    """
    if images not in ("yes", "no"):
        raise InputError(f"images is {images!r}; write images=yes or images=no.")
    return RunningCommand(command, reads_images=images == "yes")


class RunningCommand:
    """A running command.

    Args:
        command: as typed in a shell.
        reads_images: whether it is shown images.
    """

    def __init__(self, command: str, *, reads_images: bool = True) -> None:
        self.command, self.reads_images = command, reads_images
        try:
            words = shlex.split(command)
            self._process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        except (OSError, ValueError, IndexError) as error:
            reason = (error.strerror if isinstance(error, OSError) else None) or error
            raise InputError(f"The command {command!r} cannot be started: {reason}.") from error
        self._folder = TemporaryDirectory(prefix="mmner-")

    def predict(self, items: Sequence[Item]) -> Iterator[Answer]:
        """Answer each item by a line of the command."""
        for item in items:
            yield self._ask(item)

    def close(self) -> None:
        """Close the command's input, upon which it should end."""
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with suppress(OSError):
                    stream.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._folder.cleanup()

    def _ask(self, item: Item) -> Answer:
        image = None
        if item.image is not None:
            image = Path(self._folder.name) / "image.png"
            item.image.save(image, compress_level=1)
        question = {"words": item.words, "language": item.language, "image": None if image is None else str(image)}
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None and stdout is not None  # noqa: S101 (both are pipes)
        try:
            stdin.write(json.dumps(question).encode() + b"\n")
            stdin.flush()
            line = stdout.readline()
        except BrokenPipeError:
            line = b""
        if not line:
            raise InputError(f"the command {self.command!r} ended with exit code {self._process.wait()}")
        return _read(line)


def _read(line: bytes) -> Answer:
    """Read a line of the command.

    Raises:
        InputError: if it is no JSON object with tags.
    """
    try:
        record: Any = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise InputError(f"the command wrote {_start(line)}, which is no JSON") from error
    if not isinstance(record, dict) or "tags" not in record:
        raise InputError(f'the command wrote {_start(line)}, which is no object with "tags"')
    if unknown := [name for name in record if name not in _FIELDS]:
        raise InputError(f"the command wrote the field {unknown[0]!r:.60}; it may write {', '.join(_FIELDS)}")
    return Answer(**record)


def _start(line: bytes) -> str:
    text = line.decode("utf-8", "replace").strip()
    return repr(text if len(text) <= 60 else f"{text[:60]}...")

"""An append-only journal beside a run: the notes people made about it, a line of JSON each.

A later line about the same thing overrides an earlier one, and a withdrawal is a line as well. So the file records who
said what and when, and nobody's notes overwrite another's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Lock
from typing import Any

from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_write
from mmner_core.runtime.json_files import parse_object

MAX_BYTES = 5_000_000
MAX_NOTE = 500
_WRITING = Lock()


@dataclass(frozen=True, slots=True)
class Journal:
    """One file of notes.

    Attributes:
        path: the file, there or not.
        field: what every line must have.
    """

    path: Path
    field: str

    @property
    def name(self) -> str:
        """Return the file's name in messages: with its run, without the server's folders above."""
        return f"{self.path.parent.name}/{self.path.name}"

    def lines(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield the place and the content of each line, oldest first; nothing if there is no file.

        Raises:
            InputError: naming a line that is no such object, or a file that cannot be read.
        """
        try:
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            return
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"{self.name} cannot be read: it is damaged, or no file; move it away.") from error
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
            where = f"{self.name}:{number}"
            try:
                yield where, parse_object(line, self.field)
            except InputError as error:
                raise InputError(f"{where}: {error} Mend or remove it.") from error

    def add(self, record: Mapping[str, Any]) -> None:
        """Append a line; the file is replaced as a whole.

        Raises:
            InputError: if it cannot be written, or would grow beyond ``MAX_BYTES``.
        """
        line = json.dumps(record).encode("ascii") + b"\n"
        try:
            with _WRITING:
                before = self.path.read_bytes() if self.path.is_file() else b""
                if len(before) + len(line) > MAX_BYTES:
                    raise InputError(f"{self.name} is full ({MAX_BYTES / 1e6:.0f} MB); move it away to begin anew.")
                with atomic_write(self.path) as part:
                    part.write_bytes(before + (b"\n" if before and not before.endswith(b"\n") else b"") + line)
        except OSError as error:
            raise InputError(f"{self.name} cannot be written: {error.strerror or error}; nothing was saved.") from error


def now() -> str:
    """Return the time to note: UTC, to the second."""
    return datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S")


def checked_note(note: object) -> str:
    """Return a person's note as one line.

    Raises:
        InputError: if it is no text, or too long.
    """
    if not isinstance(note, str) or len(note) > MAX_NOTE:
        raise InputError(f"A note is a text of at most {MAX_NOTE} characters.")
    return " ".join(note.split())


def texts(where: str, record: Mapping[str, Any], *names: str) -> tuple[str, ...]:
    """Return some fields of a line that must be texts, empty where they are missing.

    Raises:
        InputError: naming the line and the field that is none.
    """
    found = tuple(record.get(name, "") for name in names)
    for name, value in zip(names, found, strict=True):
        if not isinstance(value, str):
            raise InputError(f"{where}: {name!r} must be a text. Mend or remove the line.")
    return found

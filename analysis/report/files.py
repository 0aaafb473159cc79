"""Writes the text files of reports and experiments."""

from __future__ import annotations

from pathlib import Path

from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_write


def write_text(file: Path, text: str) -> Path:
    """Write UTF-8 text whole or not at all, making the folder where it is missing.

    Raises:
        InputError: if the place cannot be written to.
        BrokenPipeError: if it is a stream that nobody reads any more.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            # A lone surrogate is no text; it must not cost the whole report.
            part.write_text(text, encoding="utf-8", errors="replace", newline="")
    except BrokenPipeError:
        raise
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror or error}; choose another place.") from error
    return file

"""Write a file so that it is either complete or as it was."""

from __future__ import annotations

import os
from pathlib import Path

from mmner_core.errors import InputError


def write_text(file: Path, text: str) -> Path:
    """Write UTF-8 text beside the file and rename it when it is complete.

    Raises:
        InputError: if the place cannot be written to.
    """
    partial = file.with_name(f".{file.name}.partial")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # A lone surrogate is no text; it must not cost the whole report.
        partial.write_text(text, encoding="utf-8", errors="replace", newline="")
        os.replace(partial, file)
    except OSError as error:
        raise InputError(f"{file} cannot be written: {error.strerror}; choose another place.") from error
    return file

"""Unpacks images embedded in a table into files named by their content, once."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from mmner_core.errors import InputError
from mmner_core.photos.folder import EXTENSIONS
from mmner_core.runtime.atomic import atomic_write

CACHE_FOLDER = "MMNER_CACHE"
"""Environment variable: where the files go, instead of ``~/.cache/mmner``."""


def cache_folder() -> Path:
    """Return the folder of unpacked images."""
    named = os.environ.get(CACHE_FOLDER)
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return (Path(named) if named else home / "mmner") / "images"


def unpack_image(data: bytes, name: str | None) -> Path:
    """Write a photo's bytes to the file named by their SHA-256, unless it is there, and return it.

    Raises:
        InputError: if it cannot be written.
    """
    digest = hashlib.sha256(data).hexdigest()
    suffix = Path(name or "").suffix.lower()
    file = cache_folder() / digest[:2] / f"{digest}{suffix if suffix in EXTENSIONS else EXTENSIONS[0]}"
    if file.is_file():
        return file
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(file) as part:
            part.write_bytes(data)
    except OSError as error:
        raise InputError(
            f"{file} cannot be written ({error.strerror or error}); set {CACHE_FOLDER} to a folder with room."
        ) from error
    return file

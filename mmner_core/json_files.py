"""JSON files that this program wrote, read back."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from mmner_core.errors import InputError, brief


def read_json(file: Path, remedy: str) -> Any:
    """Read a JSON file.

    Args:
        file: what to read.
        remedy: what to do where it is damaged; the end of the error's sentence.

    Raises:
        InputError: if it is not readable JSON.
    """
    try:
        return json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise InputError(f"{file} is not readable JSON ({brief(error)}); {remedy}.") from error


def read_object(file: Path, remedy: str) -> dict[str, Any]:
    """Read a JSON file that holds an object; see :func:`read_json`."""
    content = read_json(file, remedy)
    if not isinstance(content, dict):
        raise InputError(f"{file} must hold a JSON object, found {type(content).__name__}; {remedy}.")
    return content

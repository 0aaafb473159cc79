"""Reads JSON, naming the file and line of a mistake, and writes JSON that any file can hold."""

from __future__ import annotations

import json
from collections.abc import Callable
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


def parse_object(line: str, field: str) -> dict[str, Any]:
    """Read a line that holds a JSON object whose keys differ: of one that has a key twice, JSON drops the first value.

    Args:
        line: the line.
        field: one that it must have.

    Raises:
        InputError: if it is no JSON, no object, lacks the field, or has one twice; the caller says where it stands.
    """
    try:
        record = json.loads(line, object_pairs_hook=_once)
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "it is nested too deeply"
        raise InputError(f"the line is not JSON ({reason}).") from error
    if not isinstance(record, dict) or field not in record:
        raise InputError(f'the line is not a JSON object with a field "{field}".')
    return record


def json_text(record: Any, *, indent: int | None = None, default: Callable[[Any], Any] | None = None) -> str:
    """Return JSON that UTF-8 can carry: readable, or escaped where the text holds lone surrogates."""
    text = json.dumps(record, ensure_ascii=False, indent=indent, default=default)
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(record, indent=indent, default=default)
    return text


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"the field {twice!r} stands there twice; rename one of them.")
    return record

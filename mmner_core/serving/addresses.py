"""Refuses web addresses where a file should be: the web framework would fetch them for whoever asks."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from mmner_core.errors import InputError

_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
# gradio's routes that fetch: /file=https://..., /file/https://..., /proxy=https://...
_FETCH = re.compile(r"/(?:file|proxy)[=/]\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
NO_FETCHING = "This server fetches no web addresses; upload the photo instead."


def asks_to_fetch(path: str) -> bool:
    """Say whether a request's path has the web framework fetch what is at a web address."""
    return _FETCH.search(path) is not None


def is_address(value: object) -> bool:
    """Say whether a value is, or could be taken for, the address of something on the web."""
    return isinstance(value, str) and _ADDRESS.match(value) is not None


def refuse_addresses(data: Any) -> None:
    """Look through what a program sent for files that are addresses, which the web framework would fetch.

    Raises:
        InputError: if there is one.
    """
    if next(files_at_addresses(data), None) is not None:
        raise InputError(NO_FETCHING)


def files_at_addresses(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the files in what a program sent whose path is an address."""
    return (record for record in _records(data) if is_address(record.get("path")))


def _records(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every dictionary in JSON, however deep, without recursion."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)

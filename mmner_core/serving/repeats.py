"""Counts repeated warnings instead of writing each."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock
from typing import Any

_REMEMBERED = 1000


@dataclass(slots=True)
class _Window:
    """The records of one kind since its window began."""

    since: float
    written: int = 0
    left_out: int = 0


class FoldRepeats(logging.Filter):
    """Limits similar warnings and errors per minute; the next one states how many were dropped.

    Records are similar if they come from the same line of code and are of the same sort of error. Records below warning
    level always pass.

    Args:
        most: written in a window.
        seconds: how long a window is.
        clock: returns seconds.
    """

    def __init__(self, most: int = 10, seconds: float = 60.0, *, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most = most
        self._seconds = seconds
        self._clock = clock
        self._windows: dict[tuple[Any, ...], _Window] = {}
        self._lock = Lock()

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether a record is written."""
        if record.levelno < logging.WARNING:
            return True
        error = record.exc_info[0] if record.exc_info else None
        kind = (record.name, record.pathname, record.lineno, error)
        now = self._clock()
        with self._lock:
            window = self._windows.get(kind)
            if window is None or now - window.since > self._seconds:
                if window is not None and window.left_out:
                    record.msg = f"{record.msg} (and {window.left_out} more like it that were left out)"
                if len(self._windows) >= _REMEMBERED:
                    self._windows.clear()
                window = self._windows[kind] = _Window(now)
            if window.written >= self._most:
                window.left_out += 1
                return False
            window.written += 1
        return True

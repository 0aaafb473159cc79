"""Filters what libraries log: where and of what kind, without the visitor's words."""

from __future__ import annotations

import io
import logging
import sys
import threading
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

log = logging.getLogger(__name__)
OURS = ("app", "mmner_core", "analysis", "__main__")
"""Loggers whose messages hold no text of visitors, since we write them so."""
_ITSELF = (__file__, traceback.__file__, warnings.__file__, logging.__file__)


class NotTheirWords(logging.Filter):
    """Replaces a library's log message by the place in the code that logged it."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change a library's record; every record passes."""
        if record.name.partition(".")[0] not in OURS:
            record.msg = "a message from %s:%d in %s is not shown (log_text is off)"
            record.args = (record.pathname, record.lineno, record.funcName)
        return True


@contextmanager
def libraries_hushed(*, text: bool) -> Iterator[None]:
    """Send libraries' prints, warnings and uncaught errors to the log, without their words.

    Args:
        text: whether the log may hold visitors' words; then nothing is changed.
    """
    if text:
        yield
        return
    before = (sys.stdout, sys.stderr, traceback.print_exc, warnings.showwarning, threading.excepthook)
    sys.stdout, sys.stderr = Printed("standard output"), Printed("standard error")
    traceback.print_exc = _log_error  # gradio prints errors with it
    warnings.showwarning = _log_warning
    threading.excepthook = _log_death
    try:
        yield
    finally:
        sys.stdout, sys.stderr, traceback.print_exc, warnings.showwarning, threading.excepthook = before


class Printed(io.TextIOBase):
    """A stream that drops what is printed and logs once for each place that prints.

    Args:
        name: of the stream.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._seen: set[tuple[str, int]] = set()

    def write(self, text: str, /) -> int:
        """Drop a text."""
        if text.strip() and (place := _caller()) not in self._seen:
            self._seen.add(place)
            log.warning("%s:%d prints to %s; not shown (log_text is off)", *place, self._name)
        return len(text)

    def writable(self) -> bool:
        """Return true."""
        return True


def _caller() -> tuple[str, int]:
    """Return the file and line that printed."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename in _ITSELF:
        frame = frame.f_back
    return (frame.f_code.co_filename, frame.f_lineno) if frame else ("somewhere", 0)


def _log_error(*_: Any, **__: Any) -> None:
    log.error("an error in a library", exc_info=True)


def _log_warning(message: Any, category: type[Warning], filename: str, lineno: int, *_: Any, **__: Any) -> None:
    log.warning("%s at %s:%d; not shown (log_text is off)", category.__name__, filename, lineno)


def _log_death(arguments: threading.ExceptHookArgs) -> None:
    log.error("a thread died", exc_info=arguments.exc_value)

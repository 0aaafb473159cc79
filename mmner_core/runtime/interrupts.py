"""Handles Ctrl-C: the process ends at once, or cleanly where there is something to remove first.

An exception in the middle of an import is not safe: libraries swallow it, or crash on half-loaded modules.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERRUPTED = 128 + signal.SIGINT
_holding = 0


@contextmanager
def held() -> Iterator[None]:
    """Let Ctrl-C raise ``KeyboardInterrupt`` in this block, which cleans up after itself."""
    global _holding
    _holding += 1
    try:
        yield
    finally:
        _holding -= 1


def end_at_once() -> None:
    """Let Ctrl-C end the process wherever nothing is :func:`held`."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, _interrupt)


def _interrupt(number: int, frame: FrameType | None) -> None:
    if _holding:
        raise KeyboardInterrupt
    os._exit(INTERRUPTED)

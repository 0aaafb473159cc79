"""Errors for visitors: a sentence without paths, and a log entry without visitors' texts."""

from __future__ import annotations

import logging
import re
import secrets
import traceback
from types import TracebackType
from typing import Any

from mmner_core.errors import InputError
from mmner_core.serving.log_filter import NotTheirWords
from mmner_core.serving.repeats import FoldRepeats

log = logging.getLogger(__name__)
SORRY = "Something went wrong on our side (error {number}). Please try again; the server's log has the details."
# A folder before the last part of a path, as sentences written for the command line have them.
_FOLDERS = re.compile(r"(?<![\w:/.])~?/(?:[^\s/'\"<>]+/)+(?=[^\s/'\"<>])")


def user_message(error: BaseException) -> str:
    """Return the sentence a visitor gets for an error, without the folders of this machine.

    An error that is our fault goes to the log, under the number that the visitor is given.
    """
    if isinstance(error, InputError):
        return _FOLDERS.sub("", str(error))
    number = secrets.token_hex(4)
    log.error("error %s: a handler failed", number, exc_info=error)
    return SORRY.format(number=number)


class QuietFormatter(logging.Formatter):
    """Writes where an error happened and of what kind it is, but not its message, which may quote a visitor."""

    def formatException(self, ei: Any) -> str:  # noqa: N802 (logging's name for it)
        """Return the frames and kinds of an error and of its causes."""
        return "\n".join(_frames(ei[1]))


def _frames(error: BaseException | None) -> list[str]:
    lines: list[str] = []
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        trace: TracebackType | None = error.__traceback__
        frames = (f"  {frame.filename}:{frame.lineno} in {frame.name}" for frame in traceback.extract_tb(trace))
        lines = [f"{type(error).__module__}.{type(error).__qualname__} at", *frames, *lines]
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return lines


def log_to_stderr(*, text: bool) -> None:
    """Send every log to standard error.

    Args:
        text: also write what errors and libraries say, which may quote what a visitor wrote.
    """
    kind = logging.Formatter if text else QuietFormatter
    handler = logging.StreamHandler()
    handler.setFormatter(kind("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    if not text:
        handler.addFilter(NotTheirWords())
    handler.addFilter(FoldRepeats())
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("httpx").setLevel(logging.WARNING)


def take_over_logs(*names: str) -> None:
    """Remove the handlers of other loggers, such as the web server's, so that they write as all others do."""
    for name in names:
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True

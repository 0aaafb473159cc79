"""The one exception that means "the input is wrong", as opposed to "the program is wrong", and what it quotes."""

from __future__ import annotations

_LONGEST_REASON = 100  # characters


class InputError(ValueError):
    """A user's mistake, told in one sentence: what is wrong, where, and what to do.

    The command line turns it into exit code 2 and the app into a notice; anything else is a bug and keeps its
    traceback.
    """


def brief(error: Exception) -> str:
    """Return the beginning of what a library says, which may go on for pages."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."

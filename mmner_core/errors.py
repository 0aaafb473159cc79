"""The one exception that means "the input is wrong", as opposed to "the program is wrong", and what it quotes."""

from __future__ import annotations

from collections.abc import Iterable

_LONGEST_REASON = 100  # characters
_NAMES_SHOWN, _LONGEST_NAME = 12, 40


class InputError(ValueError):
    """A user's mistake, reported in one sentence: what is wrong, where, and what to do.

    The command line turns it into exit code 2 and the app into a notice; anything else is a bug and keeps its
    traceback.
    """


def brief(error: Exception) -> str:
    """Return the beginning of a library's message, which may run to pages."""
    line = (str(error).splitlines() or [type(error).__name__])[0]
    return line if len(line) <= _LONGEST_REASON else f"{line[:_LONGEST_REASON]}..."


def listed(names: Iterable[str]) -> str:
    """Return the first of some names, quoted where they hold line breaks, and cut where they are long."""
    known = list(names)
    shown = [
        name if name.isprintable() and len(name) <= _LONGEST_NAME else repr(name[:_LONGEST_NAME])
        for name in known[:_NAMES_SHOWN]
    ]
    more = [f"and {len(known) - _NAMES_SHOWN} more"] if len(known) > _NAMES_SHOWN else []
    return ", ".join([*shown, *more]) or "none"

"""The one exception that means "the input is wrong", as opposed to "the program is wrong"."""

from __future__ import annotations


class InputError(ValueError):
    """A user's mistake, told in one sentence: what is wrong, where, and what to do.

    The command line turns it into exit code 2 and the app into a notice; anything else is a bug and keeps its
    traceback.
    """

"""A fair queue: each sender has a line of its own, and the senders have their turns one after the other."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

W = TypeVar("W")


class FairQueue(Generic[W]):
    """What waits, in one line per sender; lines are served in turn."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str | None, deque[W]] = OrderedDict()  # whose turn it is first

    def __bool__(self) -> bool:
        return bool(self._lines)

    def join(self, sender: str | None, waiting: W) -> None:
        """Stand at the end of a sender's line."""
        self._lines.setdefault(sender, deque()).append(waiting)

    @property
    def first(self) -> W:
        """Return what is the first of the sender whose turn it is; one must wait."""
        return next(iter(self._lines.values()))[0]

    def take(self) -> W:
        """Take the first out of its line; the other senders have their turns before the next of its sender."""
        taken = next(iter(self._lines.values())).popleft()
        self.pass_on()
        return taken

    def pass_on(self) -> None:
        """Let the other senders have their turns; what is the first of this one stays so."""
        sender, line = self._lines.popitem(last=False)
        if line:
            self._lines[sender] = line

"""A fair queue: each sender has a line of its own, and the senders have their turns one after the other."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Generic, TypeVar

W = TypeVar("W")


class FairQueue(Generic[W]):
    """A queue with one line per sender; the lines are served in turn."""

    def __init__(self) -> None:
        self._lines: OrderedDict[str | None, deque[W]] = OrderedDict()  # whose turn it is first

    def __bool__(self) -> bool:
        return bool(self._lines)

    def join(self, sender: str | None, waiting: W) -> None:
        """Append an item to a sender's line."""
        self._lines.setdefault(sender, deque()).append(waiting)

    @property
    def first(self) -> W:
        """Return the first item of the sender whose turn it is; the queue must not be empty."""
        return next(iter(self._lines.values()))[0]

    def take(self) -> W:
        """Remove and return that item; all other senders have their turn before its sender's next one."""
        taken = next(iter(self._lines.values())).popleft()
        self.pass_on()
        return taken

    def pass_on(self) -> None:
        """Give the turn to the next sender; the item stays first in its line."""
        sender, line = self._lines.popitem(last=False)
        if line:
            self._lines[sender] = line

"""Slots for concurrent work of which no visitor can take all."""

from __future__ import annotations

from collections import Counter
from threading import Condition, local

from mmner_core.serving.visitor import current_visitor


class FairSlots:
    """A context manager for work that takes much memory or time; a thread waits for a free slot.

    One visitor gets all places but one, so that another's turn comes as soon as a single one of theirs is free; work
    for nobody in particular may take every place.

    Args:
        places: how many may be at work at once.
    """

    def __init__(self, places: int) -> None:
        self._free = places
        self._each = max(1, places - 1)
        self._at_work: Counter[str] = Counter()
        self._changed = Condition()
        self._entered = local()

    def __enter__(self) -> None:
        """Wait for a place."""
        visitor = current_visitor()
        with self._changed:
            self._changed.wait_for(lambda: self._free and (visitor is None or self._at_work[visitor] < self._each))
            self._free -= 1
            if visitor is not None:
                self._at_work[visitor] += 1
        self._stack().append(visitor)

    def __exit__(self, *_: object) -> None:
        """Give the place back."""
        visitor = self._stack().pop()
        with self._changed:
            self._free += 1
            if visitor is not None:
                self._at_work[visitor] -= 1
                if not self._at_work[visitor]:
                    del self._at_work[visitor]
            self._changed.notify_all()

    def _stack(self) -> list[str | None]:
        """Return the visitors for whom this thread holds slots, the latest last."""
        if not hasattr(self._entered, "stack"):
            self._entered.stack = []
        stack: list[str | None] = self._entered.stack
        return stack

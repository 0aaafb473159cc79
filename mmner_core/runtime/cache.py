"""A cache of the most recently used values, bounded in bytes."""

from __future__ import annotations

from collections.abc import Hashable
from operator import itemgetter
from threading import Lock
from typing import Generic, TypeVar

from cachetools import LRUCache

Value = TypeVar("Value")


class RecentlyUsed(Generic[Value]):
    """A cache that drops what was used least recently once it holds too much; several threads may use it.

    Args:
        max_bytes: most bytes of values to hold; a larger value is not kept at all.
    """

    def __init__(self, max_bytes: int) -> None:
        self._items: LRUCache[Hashable, tuple[Value, int]] = LRUCache(max_bytes, getsizeof=itemgetter(1))
        self._lock = Lock()

    def __len__(self) -> int:
        """Return how many values are held."""
        return len(self._items)

    def get(self, key: Hashable) -> Value | None:
        """Return the value under the key, or None."""
        with self._lock:
            kept = self._items.get(key)
        return None if kept is None else kept[0]

    def put(self, key: Hashable, value: Value, size: int) -> None:
        """Keep a value of ``size`` bytes."""
        with self._lock:
            self._items.pop(key, None)
            if size <= self._items.maxsize:
                self._items[key] = value, size

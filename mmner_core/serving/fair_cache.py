"""A cache of results in which no visitor can evict all of another's."""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Hashable, Mapping
from threading import Lock
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class FairCache(Generic[V]):
    """A bounded cache that evicts the oldest value of whoever put in the most. Safe to use from many threads.

    Args:
        most: values kept.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._kept: OrderedDict[Hashable, tuple[str | None, V]] = OrderedDict()  # the least recently used first
        self._lock = Lock()

    def get(self, key: Hashable) -> V | None:
        """Return a value, None if it is not kept."""
        with self._lock:
            if key not in self._kept:
                return None
            self._kept.move_to_end(key)
            return self._kept[key][1]

    def put(self, key: Hashable, value: V, owner: str | None) -> None:
        """Keep a value for a visitor."""
        with self._lock:
            self._kept[key] = (owner, value)
            self._kept.move_to_end(key)
            while len(self._kept) > self._most:
                del self._kept[first_of_most({key: owner for key, (owner, _) in self._kept.items()})]


def first_of_most(owners: Mapping[K, str | None]) -> K:
    """Return the first key, in the mapping's order, of an owner who has the most of them."""
    owned = Counter(owners.values())
    most = max(owned.values())
    return next(key for key, owner in owners.items() if owned[owner] == most)

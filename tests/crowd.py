"""Count how many are at something at once."""

from __future__ import annotations

from threading import Lock


class Crowd:
    """Those who came in and did not leave yet, from any thread.

    Attributes:
        now: how many there are.
        most: how many there were at most.
    """

    def __init__(self) -> None:
        self.now = self.most = 0
        self._lock = Lock()

    def __enter__(self) -> None:
        with self._lock:
            self.now += 1
            self.most = max(self.most, self.now)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self.now -= 1

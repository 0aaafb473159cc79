"""Limits for one visitor: a token bucket for the rate, a counter for concurrent requests."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock

from cachetools import LRUCache

from mmner_core.serving.asgi import Refused, retry_after

REMEMBERED = 10_000
TOO_MANY_AT_WORK = "As many of your requests as allowed ({most}) are at work; wait until one of them is done."


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class RateLimit:
    """A token bucket per visitor: ``burst`` requests at once, then ``rate`` a second.

    Args:
        rate: tokens that come back per second; 0: no limit.
        burst: tokens of a visitor who was quiet.
        clock: returns seconds.
        remembered: visitors whose buckets are kept, the latest of them; a forgotten visitor starts afresh.
    """

    def __init__(
        self,
        rate: float,
        burst: int,
        *,
        clock: Callable[[], float] = time.monotonic,
        remembered: int = REMEMBERED,
    ) -> None:
        self.rate = rate
        self.burst = burst
        self._clock = clock
        self._buckets: LRUCache[str, _Bucket] = LRUCache(remembered)
        self._lock = Lock()

    def take(self, visitor: str) -> float:
        """Take a token: return 0, or, where there is none, the seconds until there is one."""
        if not self.rate:
            return 0.0
        with self._lock:
            bucket = self._fill(visitor)
            if bucket.tokens < 1:
                return (1 - bucket.tokens) / self.rate
            bucket.tokens -= 1
            return 0.0

    def charge(self, visitor: str, tokens: float) -> None:
        """Take further tokens for a request that turned out to be more work; a debt must be refilled first."""
        if self.rate and tokens > 0:
            with self._lock:
                self._fill(visitor).tokens -= tokens

    def _fill(self, visitor: str) -> _Bucket:
        """Return a visitor's bucket, refilled."""
        now = self._clock()
        bucket = self._buckets.setdefault(visitor, _Bucket(self.burst, now))
        bucket.tokens = min(self.burst, bucket.tokens + (now - bucket.filled) * self.rate)
        bucket.filled = now
        return bucket


class ConcurrencyLimit:
    """Counts each visitor's concurrent requests.

    Args:
        most: requests of one visitor at once.
        sentence: for whoever asks for more, with ``most`` in braces.
    """

    def __init__(self, most: int, sentence: str = TOO_MANY_AT_WORK) -> None:
        self.most = most
        self._sentence = sentence
        self._at_work: Counter[str] = Counter()
        self._lock = Lock()

    @contextmanager
    def admit(self, visitor: str) -> Iterator[None]:
        """Count a request while it is processed.

        Raises:
            Refused: if the visitor has as many at work as allowed.
        """
        with self._lock:
            if self._at_work[visitor] >= self.most:
                raise Refused(retry_after(429, self._sentence.format(most=self.most), 1))
            self._at_work[visitor] += 1
        try:
            yield
        finally:
            with self._lock:
                self._at_work[visitor] -= 1
                if not self._at_work[visitor]:
                    del self._at_work[visitor]

"""How much memory the app holds, second by second."""

from __future__ import annotations

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import psutil

MEGABYTE = 1e6
WINDOW = 10.0  # seconds over which "after warm-up" and "at the end" are medians
LOCAL = ("127.0.0.1", "localhost", "::1")


@dataclass(slots=True)
class MemoryCurve:
    """Resident memory of the app and the processes it started.

    Attributes:
        samples: (seconds since the clock started, megabytes); a restart begins a new list of them.
    """

    samples: list[tuple[float, float]] = field(default_factory=list)

    async def watch(self, pid: int, clock: float, every: float = 1.0) -> None:
        """Add a sample each second until cancelled, or until the process is gone."""
        process = psutil.Process(pid)
        while True:
            try:
                size = sum(p.memory_info().rss for p in [process, *process.children(recursive=True)])
            except psutil.NoSuchProcess:
                return
            self.samples.append((round(time.perf_counter() - clock, 2), round(size / MEGABYTE, 1)))
            await asyncio.sleep(every)

    def after(self, seconds: float) -> float | None:
        """Return the median of the megabytes in the ten seconds from there on, or None without a sample."""
        return _median([size for at, size in self.samples if seconds <= at < seconds + WINDOW])

    def at_end(self) -> float | None:
        """Return the median of the megabytes in the last ten seconds, or None without a sample."""
        last = self.samples[-1][0] if self.samples else 0.0
        return _median([size for at, size in self.samples if at > last - WINDOW])


def listening_process(url: str) -> int | None:
    """Return the process that serves an address of this machine; None where it is elsewhere or may not be seen."""
    parts = urlsplit(url)
    if parts.hostname not in LOCAL:
        return None
    try:
        connections = psutil.net_connections(kind="tcp")
    except psutil.AccessDenied:
        return None
    port = parts.port or 80
    listeners = [c.pid for c in connections if c.status == psutil.CONN_LISTEN and c.laddr and c.laddr.port == port]
    return listeners[0] if listeners else None


def _median(values: list[float]) -> float | None:
    return statistics.median(values) if values else None

"""Bounds the open connections of the server, and how long an idle one is kept.

uvicorn, the web server, waits for ever for the rest of a request and for whoever does not read an answer.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, ClassVar

from uvicorn.protocols.http.h11_impl import H11Protocol

from mmner_core.serving.config import ServingConfig
from mmner_core.serving.visitor import visitor_name

log = logging.getLogger(__name__)
_LOOK = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """Seconds after which a connection without progress is closed.

    Attributes:
        head: for a request's lines and headers, from the end of the one before.
        body: for more of a request's body.
        reading: for whoever is sent an answer to read on.
    """

    head: float = 20.0
    body: float = 30.0
    reading: float = 60.0


@dataclass(slots=True, kw_only=True)
class ConnectionCount:
    """Counts open connections, in all and per address.

    Attributes:
        most: in all.
        each: from one address.
        proxies: addresses and networks that many visitors come from.
    """

    most: int
    each: int
    proxies: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    open: Counter[str] = field(default_factory=Counter)

    def admit(self, host: str) -> bool:
        """Count a connection, if it may be opened."""
        visitor = visitor_name(host)
        if self.open.total() >= self.most or (self.open[visitor] >= self.each and not self._is_proxy(host)):
            return False
        self.open[visitor] += 1
        return True

    def release(self, host: str) -> None:
        """Stop counting a connection."""
        visitor = visitor_name(host)
        self.open[visitor] -= 1
        if not self.open[visitor]:
            del self.open[visitor]

    def _is_proxy(self, host: str) -> bool:
        try:
            address = ipaddress.ip_address(host.partition("%")[0])
        except ValueError:
            return True  # no address but a socket file, which only a proxy uses
        return any(address in network for network in self.proxies)


class LimitedProtocol(H11Protocol):
    """uvicorn's own protocol, on a connection that is counted and watched."""

    count: ClassVar[ConnectionCount]
    patience: ClassVar[Patience] = Patience()
    _admitted = False
    _watch: asyncio.TimerHandle | None = None
    _since = 0.0  # when the wait for a request began
    _came = 0.0  # when bytes last came
    _stuck: float | None = None  # since when nothing sent is read

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take a connection, or close it at once where there are too many."""
        super().connection_made(transport)
        host = self._host
        self._admitted = self.count.admit(host)
        if not self._admitted:
            log.warning("a connection was closed: too many are open")
            transport.abort()
            return
        self._since = self._came = self.loop.time()
        self._watch = self.loop.call_later(_LOOK, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop counting the connection."""
        if self._watch is not None:
            self._watch.cancel()
        if self._admitted:
            self._admitted = False
            self.count.release(self._host)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take the data that arrived."""
        self._came = self.loop.time()
        super().data_received(data)

    def on_response_complete(self) -> None:
        """Start waiting for the next request."""
        self._since = self.loop.time()
        super().on_response_complete()

    def pause_writing(self) -> None:
        """Note that the client does not read what was sent."""
        self._stuck = self.loop.time()
        super().pause_writing()

    def resume_writing(self) -> None:
        """Note that the client reads again."""
        self._stuck = None
        super().resume_writing()

    @property
    def _host(self) -> str:
        return str(self.client[0]) if self.client else ""

    def _look(self) -> None:
        """Close the connection if it makes no progress; else look again later."""
        if self.transport.is_closing() and self._stuck is None:
            return
        if self._is_idle(self.loop.time()):
            self.transport.abort()
            return
        self._watch = self.loop.call_later(min(_LOOK, self.patience.head), self._look)

    def _is_idle(self, now: float) -> bool:
        if self._stuck is not None:
            return now - self._stuck > self.patience.reading
        if self.cycle is None or self.cycle.response_complete:
            return now - self._since > self.patience.head
        wants_more = self.cycle.more_body and not self.flow.read_paused
        return wants_more and now - self._came > self.patience.body


def limited_protocol(config: ServingConfig, patience: Patience | None = None) -> type[H11Protocol]:
    """Return the protocol for uvicorn, with one count for all its connections."""
    networks = []
    for name in config.trusted_proxies.split(","):
        try:
            networks.append(ipaddress.ip_network(name.strip(), strict=False))
        except ValueError:
            continue  # "*" and names: uvicorn judges those
    count = ConnectionCount(most=config.connections, each=config.visitor_connections, proxies=tuple(networks))
    if config.trusted_proxies.strip() == "*":
        count.each = config.connections
    fields: dict[str, Any] = {"count": count, "patience": patience or Patience()}
    return type("CountedProtocol", (LimitedProtocol,), fields)

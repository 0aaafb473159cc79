"""Identifies the visitor a request comes from, by address, and where there is a login the user, by name.

What visitors may use is counted by address, and what they made belongs to users, in threads far from the request; so
both travel with the context, which asyncio and the web framework hand on to tasks and worker threads.
"""

from __future__ import annotations

import functools
import ipaddress
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

UNKNOWN = "unknown"
_NETWORK = 64  # bits of an IPv6 address that a provider gives to one customer, who chooses the rest at will
_current: ContextVar[str | None] = ContextVar("visitor", default=None)
_user: ContextVar[str | None] = ContextVar("user", default=None)


@functools.lru_cache(10_000)
def visitor_name(host: str | None) -> str:
    """Return what the visitor at an address is counted under: the address, of IPv6 the network."""
    try:
        address = ipaddress.ip_address((host or "").partition("%")[0])
    except ValueError:  # a proxy may send anything
        return (host or UNKNOWN)[:64]
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, _NETWORK), strict=False))
    return str(address)


def visitor_of(scope: Mapping[str, Any]) -> str:
    """Return the visitor of an ASGI request."""
    client = scope.get("client")
    return visitor_name(client[0] if client else None)


def current_visitor() -> str | None:
    """Return the visitor that this thread or task works for; None: for nobody in particular."""
    return _current.get()


@contextmanager
def working_for(visitor: str) -> Iterator[None]:
    """Set the visitor that the block, and whatever it starts, works for."""
    token = _current.set(visitor)
    try:
        yield
    finally:
        _current.reset(token)


def current_user() -> str | None:
    """Return the user that this thread or task works for; None: nobody who has logged in."""
    return _user.get()


@contextmanager
def acting_for(user: str | None) -> Iterator[None]:
    """Set the user that the block, and whatever it starts, works for."""
    token = _user.set(user)
    try:
        yield
    finally:
        _user.reset(token)

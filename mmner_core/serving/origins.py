"""Checks host names and origins: which names this server answers to, and whose pages may ask it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import urlsplit

from mmner_core.serving.asgi import Headers, Message, Refusal, header
from mmner_core.serving.config import ServingConfig

SAFE = ("GET", "HEAD", "OPTIONS")
_DEFAULT_PORTS = {"http": 80, "https": 443}
_SESSION_COOKIE_FLAGS = ("httponly", "samesite", "secure", "partitioned")
# What proxies tell, which gradio believes from anyone; uvicorn has read it from those that are trusted.
_FROM_PROXIES = (b"x-forwarded-host", b"x-forwarded-proto", b"x-forwarded-server", b"forwarded", b"x-gradio-server")
WRONG_HOST = "This server is not asked under this name; its operator can add the name to allowed_hosts."
WRONG_ORIGIN = "Pages of another site may not ask this server; its operator can add the site to allowed_origins."


class Origins:
    """Judges a request by the name it asks for and by the site whose page sends it.

    Args:
        config: names and sites that are allowed besides this server's own.
    """

    def __init__(self, config: ServingConfig) -> None:
        self._config = config
        self._origins = {origin.rstrip("/").lower() for origin in config.allowed_origins}

    def judge(self, scope: Message) -> Refusal | None:
        """Return why a request is turned away, or None."""
        host = header(scope, b"host")
        if host is None or not self._is_ours(host):
            return Refusal(400, WRONG_HOST)
        return None if self._may_ask(scope) else Refusal(403, WRONG_ORIGIN)

    def allowed_origin(self, scope: Message) -> str | None:
        """Return the other site that asks, if it is one of those that may; None for our own pages."""
        origin = header(scope, b"origin")
        return origin if origin and origin.lower() in self._origins else None

    def grants(self, scope: Message) -> Headers:
        """Return the headers that let the pages of an allowed site read an answer."""
        origin = self.allowed_origin(scope)
        if origin is None:
            return []
        granted = [(b"access-control-allow-origin", origin.encode("latin-1")), (b"vary", b"Origin")]
        granted.append((b"access-control-allow-credentials", b"true"))
        if scope["method"] == "OPTIONS":
            granted += [(b"access-control-allow-methods", b"GET, POST"), (b"access-control-max-age", b"600")]
            granted.append((b"access-control-allow-headers", b"content-type"))
        return granted

    def settled(self, scope: Message) -> Headers:
        """Return a request's headers as they are safe for the web framework, which trusts all of them.

        One host, the one the visitor sees; nothing that a proxy would say; no origin, or gradio would let it in.
        """
        forwarded = (header(scope, b"x-forwarded-host") or "").split(",")[0].strip()
        host = forwarded if self._is_ours(forwarded) else header(scope, b"host") or ""
        left_out = (b"host", b"origin", *_FROM_PROXIES)
        kept = [(name, value) for name, value in scope["headers"] if name not in left_out]
        return [(b"host", host.encode("latin-1")), *kept]

    def _is_ours(self, host: str) -> bool:
        name = _name(host)
        if name is None:
            return False
        return "*" in self._config.allowed_hosts or name in self._names or self._is_ours_by_number(name)

    def _is_ours_by_number(self, name: str) -> bool:
        """Return whether a host is a numeric address of this server, which no other site's name can stand for."""
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return self._everywhere or address.is_loopback

    @cached_property
    def _everywhere(self) -> bool:
        """Whether the server listens on every network this machine is in."""
        return self._config.host.strip("[]") in ("0.0.0.0", "::", "")  # noqa: S104

    @cached_property
    def _names(self) -> frozenset[str]:
        given = [*self._config.allowed_hosts, self._config.host]
        if self._everywhere:
            given += [socket.gethostname(), f"{socket.gethostname()}.local"]
        return frozenset({"localhost", *filter(None, map(_name, given))})

    def _may_ask(self, scope: Message) -> bool:
        origin = header(scope, b"origin")
        if origin is not None:
            return self.allowed_origin(scope) is not None or self._is_own(origin, scope)
        if scope["method"] in SAFE:
            return True
        referer = header(scope, b"referer")
        if referer and not self._is_own(referer, scope):
            return _origin_of(referer) in self._origins
        return header(scope, b"sec-fetch-site") in (None, "same-origin", "none") or bool(referer)

    def _is_own(self, address: str, scope: Message) -> bool:
        """Return whether a page's host is the one that it asks: by the name that the visitor sees, or its proxy's."""
        for asked in _hosts(scope):
            if self._is_ours(asked) and _same_host(address, asked):
                return True
        return False


def lax_cookie(value: bytes, *, encrypted: bool) -> bytes:
    """Return a cookie that no other site's page sends and no script reads, and that TLS protects where there is any."""
    pair, *flags = value.split(b";")
    kept = [flag for flag in flags if flag.split(b"=")[0].strip().lower().decode() not in _SESSION_COOKIE_FLAGS]
    flags = [*kept, b" HttpOnly", b" SameSite=Lax", *([b" Secure"] if encrypted else [])]
    return b";".join([pair, *flags])


def _hosts(scope: Message) -> Iterator[str]:
    for name in (b"host", b"x-forwarded-host"):
        if value := header(scope, name):
            yield value.split(",")[0].strip()


def _same_host(address: str, host: str) -> bool:
    """Return whether a page's address has this host; a missing port is the default one of any scheme."""
    try:
        page, asked = urlsplit(address), urlsplit(f"//{host}")
        if page.scheme not in _DEFAULT_PORTS or not page.hostname:
            return False
        usual = _DEFAULT_PORTS[page.scheme]
        return page.hostname == asked.hostname and (page.port or usual) == (asked.port or usual)
    except ValueError:
        return False


def _origin_of(address: str) -> str:
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    return f"{parts.scheme}://{parts.netloc}".lower()


def _name(host: str) -> str | None:
    """Return a host without its port, in small letters; None if it is no host."""
    host = host.strip().lower()
    try:
        if host.count(":") > 1 and not host.startswith("["):  # an IPv6 address as written in the settings
            return str(ipaddress.ip_address(host))
        parts = urlsplit(f"//{host}")
        parts.port  # noqa: B018 (raises if it is no number)
    except ValueError:
        return None
    clean = parts.netloc == host and "@" not in host and parts.hostname
    return str(parts.hostname).rstrip(".") if clean else None

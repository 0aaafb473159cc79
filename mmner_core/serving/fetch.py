"""Fetches images from the web for programs: from public servers only, limited in bytes and seconds."""

from __future__ import annotations

import asyncio
import ipaddress
import secrets
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from mmner_core.errors import InputError
from mmner_core.serving.addresses import files_at_addresses

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
SECONDS = 30.0
_HOPS = 4
_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""Carries an IPv4 address in its last four bytes, which a router of the network would unpack."""
NOT_PUBLIC = "The web address of the photo leads into a private network; upload the photo instead."
TOO_BIG = "What is at the web address is too big; at most {megabytes:g} MB of photos are accepted in a request."
TOO_SLOW = "What is at the web address did not come within {seconds:g} s; upload the photo instead."
FAILED = "The photo cannot be fetched from its web address ({reason}); upload it instead."


def is_public(address: Address) -> bool:
    """Say whether an address is one of the open internet: not of this machine, its networks, or of many at once."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
        if inner is not None:
            return is_public(inner)
    return address.is_global and not (address.is_multicast or address.is_reserved)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fetcher:
    """Fetches photos into a folder.

    Attributes:
        max_bytes: of all photos of a request together.
        seconds: for all of them, redirects included.
        allowed: which addresses may be asked; a test allows this machine.
    """

    max_bytes: int
    seconds: float = SECONDS
    allowed: Callable[[Address], bool] = is_public

    async def replace_addresses(self, data: Any, folder: Path) -> None:
        """Fetch each file in a program's request that is an address, and replace the address by the file's path.

        Args:
            data: the request, changed in place.
            folder: gets a folder with a name of its own for each file.

        Raises:
            InputError: if a server is not public or does not answer with a file in time, or the files are too big.
        """
        room = self.max_bytes
        try:
            async with asyncio.timeout(self.seconds):
                for record in files_at_addresses(data):
                    content = await self._get(record["path"].strip(), room)
                    room -= len(content)
                    file = folder / secrets.token_hex(16) / "photo"
                    file.parent.mkdir(parents=True)
                    file.write_bytes(content)
                    record["path"] = str(file)
        except InputError:
            raise
        except TimeoutError as error:
            raise InputError(TOO_SLOW.format(seconds=self.seconds)) from error
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as error:
            untrusted = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error))
            reason = "its server's certificate does not verify" if untrusted else "no answer, or none that makes sense"
            raise InputError(FAILED.format(reason=reason)) from error

    async def _get(self, url: str, room: int) -> bytes:
        """Follow redirects, each address checked anew."""
        # No proxy of the environment: it would look names up for itself, after the check. But its authorities
        # (SSL_CERT_FILE, SSL_CERT_DIR), which the context knows.
        context = httpx.create_ssl_context()
        async with httpx.AsyncClient(verify=context, trust_env=False, timeout=self.seconds) as client:
            address = httpx.URL(url)
            for _ in range(_HOPS):
                request = await self._request(client, address)
                response = await client.send(request, stream=True)
                try:
                    if not response.has_redirect_location:
                        return await self._read(response, room)
                    address = address.join(response.headers["location"])
                finally:
                    await response.aclose()
        raise InputError(FAILED.format(reason="too many redirects"))

    async def _request(self, client: httpx.AsyncClient, url: httpx.URL) -> httpx.Request:
        """Look a name up, check its address, and connect to that very address, so that no second look-up can differ."""
        if url.scheme not in ("http", "https") or not url.host:
            raise InputError(FAILED.format(reason="no http or https address"))
        port = url.port or (443 if url.scheme == "https" else 80)
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(url.host, port, type=socket.SOCK_STREAM)
        addresses = [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        if not addresses or not all(self.allowed(address) for address in addresses):
            raise InputError(NOT_PUBLIC)
        headers = {"Host": url.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        at = url.copy_with(host=str(addresses[0]), userinfo=b"")
        return client.build_request("GET", at, headers=headers, extensions={"sni_hostname": url.host})

    async def _read(self, response: httpx.Response, room: int) -> bytes:
        if response.status_code != httpx.codes.OK:
            raise InputError(FAILED.format(reason=f"status {response.status_code}"))
        content = bytearray()
        async for piece in response.aiter_raw():  # as sent: nothing is unpacked before it is measured
            content += piece
            if len(content) > room:
                raise InputError(TOO_BIG.format(megabytes=self.max_bytes / 1e6))
        return bytes(content)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its causes."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__

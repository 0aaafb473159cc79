"""The hostile visitor's hands: requests from an address of its own, whole, broken or never finished."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any, Self

import httpx

from tests.load.questions import UploadedPhoto
from tests.load.wire import API, Handler, Session

PATIENCE = 30.0  # seconds without a byte until the hostile visitor gives a request up
TIMED_OUT, CLOSED, HELD = "no answer in time", "connection closed", "held open"
_OK = "200"


class Attacker:
    """One address that requests come from; an asynchronous context manager.

    Args:
        url: of the app, ``http://127.0.0.1:PORT``.
        address: of this machine, ``127.0.2.N``.
        config: of the page, as the app tells it to every browser.
    """

    def __init__(self, url: str, address: str, config: dict[str, Any]) -> None:
        self.url = url
        self.address = address
        self.config = config
        self._numbers = itertools.count()
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)  # each request on its own connection
        self._client = httpx.AsyncClient(
            base_url=url,
            # Not verified: no request leaves this machine, and certificates take half a second to load.
            transport=httpx.AsyncHTTPTransport(local_address=address, limits=limits, verify=False),
            timeout=httpx.Timeout(PATIENCE),
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._client.aclose()

    def fresh(self) -> str:
        """Return a name that this address has not used before, as for a session."""
        return f"{self.address}-{next(self._numbers)}".replace(".", "-")

    def session(self, name: str) -> Session:
        """Return what a browser says from this address, in a session of that name."""
        return Session(self._client, name)

    async def get(self, path: str, **options: Any) -> str:
        """Fetch a path below gradio's; return the status of the answer, or in words why there is none."""
        return (await self._send("GET", f"/{API}/{path}", **options))[0]

    async def get_page(self, path: str) -> str:
        """Fetch any path; return the status or in words why there is none."""
        return (await self._send("GET", path))[0]

    async def post(self, path: str, value: Any, **headers: str) -> str:
        """Send JSON, or bytes that claim to be JSON, to a path below gradio's; return the status."""
        return (await self.post_for(path, value, **headers))[0]

    async def post_for(self, path: str, value: Any, **headers: str) -> tuple[str, Any]:
        """Send what :meth:`post` sends; return the status and the JSON of the answer, None without one."""
        # Not httpx's own JSON, which refuses lone surrogates.
        content = value if isinstance(value, bytes) else json.dumps(value).encode()
        headers = {"Content-Type": "application/json", **headers}
        return await self._send("POST", f"/{API}/{path}", content=content, headers=headers)

    async def join(self, handler: Handler, session: str, values: Sequence[Any], data: Any = None) -> str:
        """Put an event of the page into the queue and leave it there; return the status."""
        body = {"data": list(values), "fn_index": handler.number, "session_hash": session, "event_data": data}
        return await self.post("queue/join", body)

    async def upload(self, photo: UploadedPhoto) -> tuple[str, dict[str, Any] | None]:
        """Upload a file; return the status and what to send for it in a question."""
        files = {"files": (photo.name, photo.content, photo.mime_type)}
        status, paths = await self._send("POST", f"/{API}/upload", files=files)
        if status != _OK or not paths:
            return status, None
        return status, {"path": paths[0], "orig_name": photo.name, "meta": {"_type": "gradio.FileData"}}

    async def send_raw(self, head: str, pieces: Iterable[bytes] = (), *, hold: float = 0.0) -> str:
        """Send bytes that no client library would; return the status of the answer, or in words why there is none.

        Args:
            head: the head of the request, lines separated by newlines, without its Host.
            pieces: of the body, as they go over the line.
            hold: seconds to wait with the connection open instead of for an answer.
        """
        try:
            async with self.connection() as (reader, writer):
                lines = [*head.splitlines(), f"Host: {httpx.URL(self.url).netloc.decode()}", "", ""]
                writer.write("\r\n".join(lines).encode("latin-1"))
                for piece in pieces:
                    writer.write(piece)
                    await writer.drain()
                if hold:
                    await asyncio.sleep(hold)
                    return HELD
                line = await asyncio.wait_for(reader.readline(), PATIENCE)
                return line.split()[1].decode("latin-1") if line else CLOSED
        except TimeoutError:
            return TIMED_OUT
        except OSError:
            return CLOSED

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
        """Open a connection and close it again."""
        parts = httpx.URL(self.url)
        reader, writer = await asyncio.open_connection(parts.host, parts.port, local_addr=(self.address, 0))
        try:
            yield reader, writer
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _send(self, method: str, path: str, **options: Any) -> tuple[str, Any]:
        try:
            response = await self._client.request(method, path, **options)
        except httpx.TimeoutException:
            return TIMED_OUT, None
        except httpx.TransportError:
            return CLOSED, None
        try:
            return str(response.status_code), response.json()
        except ValueError:
            return str(response.status_code), None

"""Counts what uploads write while they arrive, and deletes the remains of failed ones.

ASGI middleware for behind the gate, which answers what is refused here.
"""

from __future__ import annotations

import contextlib
import errno
import os
from contextvars import ContextVar
from typing import Protocol

from mmner_core.serving.asgi import Application, Message, Receive, Refusal, Refused, Send, header
from mmner_core.serving.uploads import UploadSpace
from mmner_core.serving.visitor import visitor_of

DISK_FULL = "The disk of the server is full, so nothing can be uploaded at the moment; try again later."
TWO_LENGTHS = "A request must not have both Content-Length and Transfer-Encoding."
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class NamedFile(Protocol):
    """A file on the disk that is being written."""

    name: str

    def close(self) -> None:
        """Close it."""


_written: ContextVar[list[NamedFile] | None] = ContextVar("written", default=None)


def note_written(file: NamedFile) -> None:
    """Record that the current request writes a file under a temporary name."""
    files = _written.get()
    if files is not None:
        files.append(file)


class UploadGate:
    """Middleware for an application that writes uploads to the disk.

    Args:
        app: the application; it should tell :func:`note_written` of every file.
        space: the room for them.
    """

    def __init__(self, app: Application, *, space: UploadSpace) -> None:
        self._app = app
        self._space = space

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on.

        Raises:
            Refused: if there is no room for it.
        """
        if scope["type"] != "http" or not _has_files(scope):
            await self._app(scope, receive, send)
            return
        names = {name for name, _ in scope["headers"]}
        if {b"content-length", b"transfer-encoding"} <= names:
            raise Refused(Refusal(400, TWO_LENGTHS))
        written: list[NamedFile] = []
        token = _written.set(written)
        try:
            await self._pass(scope, receive, send)
        except OSError as error:
            if error.errno in _FULL:
                raise Refused(Refusal(507, DISK_FULL)) from error
            raise
        finally:
            _written.reset(token)
            _clear(written)

    async def _pass(self, scope: Message, receive: Receive, send: Send) -> None:
        with self._space.receiving(visitor_of(scope)) as upload:

            async def receive_counted() -> Message:
                message = await receive()
                if size := len(message.get("body", b"")):
                    upload.grow(size)
                return message

            async def send_noted(message: Message) -> None:
                if message["type"] == "http.response.start":
                    upload.kept = message["status"] < 300
                await send(message)

            await self._app(scope, receive_counted, send_noted)


def _has_files(scope: Message) -> bool:
    """Say whether a request is a form that may hold files, which the web framework writes to the disk."""
    return (header(scope, b"content-type") or "").lower().startswith("multipart/")


def _clear(written: list[NamedFile]) -> None:
    """Remove the files that still have their temporary name: an accepted upload has been renamed."""
    for file in written:
        with contextlib.suppress(OSError):  # on a full disk what waits in its buffer cannot be written
            file.close()
        with contextlib.suppress(OSError):
            os.unlink(file.name)

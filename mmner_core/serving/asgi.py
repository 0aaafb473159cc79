"""The pieces of ASGI that the gate works with: its types, headers, and an answer of one sentence."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, NamedTuple

from mmner_core.errors import InputError

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]


class Refusal(NamedTuple):
    """Why a request is turned away, with the headers that say more."""

    status: int
    sentence: str
    headers: tuple[tuple[bytes, bytes], ...] = ()


class Refused(InputError):
    """Raised where a request has to be turned away."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal


def retry_after(status: int, sentence: str, seconds: int) -> Refusal:
    """Return a refusal that says when to come back."""
    return Refusal(status, sentence, ((b"retry-after", str(seconds).encode()),))


async def refuse(send: Send, refusal: Refusal) -> None:
    """Answer with the sentence that says why a request is turned away."""
    await answer_json(send, refusal.status, {"detail": refusal.sentence, "error": refusal.sentence}, refusal.headers)


async def answer_json(
    send: Send, status: int, content: dict[str, Any], headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Answer with JSON."""
    await answer(send, status, json.dumps(content).encode(), b"application/json", headers)


async def answer(
    send: Send, status: int, body: bytes, kind: bytes, headers: tuple[tuple[bytes, bytes], ...] = ()
) -> None:
    """Send a whole answer."""
    about = [(b"content-type", kind), (b"content-length", str(len(body)).encode()), *headers]
    await send({"type": "http.response.start", "status": status, "headers": about})
    await send({"type": "http.response.body", "body": body})


def header(scope: Message, name: bytes) -> str | None:
    """Return a header of a request, its first value if there are several; None if there is none."""
    return next((value.decode("latin-1").strip() for key, value in scope["headers"] if key == name), None)


def cookies(scope: Message) -> dict[str, str]:
    """Return the cookies of a request by name."""
    pairs = (pair.partition("=") for key, value in scope["headers"] if key == b"cookie" for pair in _pairs(value))
    return {name.strip(): value.strip() for name, _, value in pairs}


def content_length(scope: Message) -> int | None:
    """Return the length that a request states; None where it states none."""
    value = header(scope, b"content-length") or ""
    return int(value) if value.isascii() and value.isdigit() else None


def whole_body(body: bytes, receive: Receive) -> Receive:
    """Return a ``receive`` that hands out a body that was read already, and then waits for the visitor to leave."""
    handed = False

    async def receive_again() -> Message:
        nonlocal handed
        if handed:
            return await receive()
        handed = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive_again


def _pairs(value: bytes) -> list[str]:
    return value.decode("latin-1").split(";")

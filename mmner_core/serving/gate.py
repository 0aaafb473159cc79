"""The server's gate: turns away what is too often, too big, or asks the server to fetch something.

ASGI middleware on the standard library alone, so that it can stand before any application.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any, NamedTuple

from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.faults import told
from mmner_core.serving.limits import ConcurrencyLimit, RateLimit
from mmner_core.serving.refused import Refused
from mmner_core.serving.upload_gate import Application, Message, Receive, Send, UploadGate
from mmner_core.serving.uploads import UploadSpace
from mmner_core.serving.visitor import visitor_of

_ADDRESS = re.compile(r"\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
# gradio's routes that fetch for whoever asks: /file=https://..., /file/https://..., /proxy=https://...
_FETCH = re.compile(r"/(?:file|proxy)[=/]\s*(?:[a-z][a-z0-9+.-]*:)?//", re.IGNORECASE)
# gradio's routes that the app has no use for: they write files, run programs, pass the queue by, or show traffic.
_SHUT = re.compile(
    r"(?:/gradio_api/(?:process_recording|deep_link|run|api|runs|run-history|vibe-[a-z-]+|custom_component|profiling|dev)"
    r"|^/monitoring)(?:/|$)"
)
_UPLOAD = re.compile(r".*/upload/?$")
_ANSWER = re.compile(r"/gradio_api/call/[^/]+/([^/]+)/?$")
BUSY_SECONDS = 5
TOKEN_BYTES = 2_000
"""A longer request takes one more token for each so many bytes: work grows with the text, be it one or a batch."""
_FORM_BYTES = 100_000  # what a form with one file adds to the file
NO_FETCHING = "This server fetches no web addresses; upload the photo instead."
NOT_HERE = "There is nothing at this address."
NO_ANSWER = "There is no answer at this address: it was fetched before, given up, or never asked for."
TOO_OFTEN = "You are asking faster than this server allows; try again in {seconds} s."
TOO_BIG = "The request is too big; at most {megabytes:g} MB are accepted here."
NO_LENGTH = "An upload must say how long it is (Content-Length)."
BUSY = "The server is busy at the moment; try again in some seconds."


class Refusal(NamedTuple):
    """Why a request is turned away."""

    status: int
    sentence: str
    retry_after: int | None = None


class Gate:
    """Stands before an application.

    Args:
        app: the application.
        config: limits on size, and on how often and how much at once a visitor may send (reading is not limited).
        space: where uploads go; None: their total is not limited.
        awaits: says of the web framework's application whether an answer of that number is to come or waits there.
    """

    def __init__(
        self,
        app: Application,
        *,
        config: ServingConfig,
        space: UploadSpace | None = None,
        awaits: Callable[[Any, str], bool] = lambda application, number: True,
    ) -> None:
        self._app = app if space is None else UploadGate(app, space=space)
        self._config = config
        self._rate = RateLimit(config.visitor_rate, config.visitor_burst)
        self._concurrency = ConcurrencyLimit(config.visitor_concurrency)
        self._awaits = awaits

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the sentence that says why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        with ExitStack() as held:
            refusal = self._judge(scope, held)
            if refusal is None:
                refusal = await self._pass_within(
                    self._limit(scope["path"]), scope, self._charged(scope, receive), send
                )
            if refusal is not None:
                await _refuse(send, refusal)

    def _judge(self, scope: Message, held: ExitStack) -> Refusal | None:
        """Return why a request is turned away before any of it is read, or None."""
        if _SHUT.search(scope["path"]):
            return Refusal(404, NOT_HERE)
        if _FETCH.search(scope["path"]):
            return Refusal(403, NO_FETCHING)
        if scope["method"] in ("GET", "HEAD", "OPTIONS"):
            return None
        visitor = visitor_of(scope)
        if wait := self._rate.take(visitor):
            seconds = math.ceil(wait)
            return Refusal(429, TOO_OFTEN.format(seconds=seconds), seconds)
        try:
            held.enter_context(self._concurrency.admit(visitor))
        except InputError as error:
            return Refusal(429, str(error), 1)
        announced = _content_length(scope)
        limit = self._limit(scope["path"])
        if announced is not None and announced > limit:
            return self._too_big(limit)
        if _UPLOAD.match(scope["path"]) and announced is None:
            return Refusal(411, NO_LENGTH)
        return None

    def _charged(self, scope: Message, receive: Receive) -> Receive:
        """Return ``receive``, which takes the visitor's tokens for what it reads of anything but an upload."""
        if _UPLOAD.match(scope["path"]):
            return receive
        visitor, paid = visitor_of(scope), TOKEN_BYTES

        async def receive_charged() -> Message:
            nonlocal paid
            message = await receive()
            paid -= len(message.get("body", b""))
            if paid < 0:
                self._rate.charge(visitor, -paid / TOKEN_BYTES)
                paid = 0
            return message

        return receive_charged

    def _limit(self, path: str) -> int:
        """Return the most bytes that a request to a path may have."""
        if _UPLOAD.match(path):
            return int(self._config.max_upload_mb * 1e6) + _FORM_BYTES
        return int(self._config.max_request_mb * 1e6)

    def _too_big(self, limit: int) -> Refusal:
        return Refusal(413, TOO_BIG.format(megabytes=limit // 100_000 / 10))

    async def _pass_within(self, limit: int, scope: Message, receive: Receive, send: Send) -> Refusal | None:
        """Pass a request on and count what is read of it; return why it is turned away after all, or None.

        A request need not announce its length. An error that nothing else caught ends here, or the web server would
        write all that it says into the log.
        """
        read, too_big, answered = 0, False, False
        refusal: Refusal | None = None

        async def receive_counted() -> Message:
            nonlocal read, too_big
            if too_big:
                return {"type": "http.disconnect"}
            message = await receive()
            read += len(message.get("body", b""))
            too_big = read > limit
            return {"type": "http.disconnect"} if too_big else message

        async def send_unless_refused(message: Message) -> None:
            nonlocal answered, refusal
            refusal = refusal or self._judge_answer(scope, message)
            if refusal and not answered:
                raise ConnectionError  # as if the visitor had gone: an answer that streams would not end by itself
            if answered or not too_big:
                answered = True
                await send(message)

        try:
            await self._app(scope, receive_counted, send_unless_refused)
        except Exception as error:
            if answered:
                raise
            if not (too_big or refusal):
                return _refusal_of(error)
        if answered:
            return None
        return self._too_big(limit) if too_big else refusal

    def _judge_answer(self, scope: Message, message: Message) -> Refusal | None:
        """Return what to say instead of the application's answer that begins with ``message``, or None.

        That it is full is told in our words. An answer that nobody awaits would be a stream that breaks off or never
        ends.
        """
        if message.get("status") == 503:
            return Refusal(503, BUSY, BUSY_SECONDS)
        asked = _ANSWER.search(scope["path"]) if message.get("status") == 200 else None
        unknown = asked is not None and not self._awaits(scope.get("app"), asked[1])
        return Refusal(404, NO_ANSWER) if unknown else None


def is_address(value: object) -> bool:
    """Say whether a value is, or could be taken for, the address of something on the web."""
    return isinstance(value, str) and _ADDRESS.match(value) is not None


def refuse_addresses(data: Any) -> None:
    """Look through what a program sent for files that are addresses, which the web framework would fetch.

    Raises:
        InputError: if there is one.
    """
    if next(files_at_addresses(data), None) is not None:
        raise InputError(NO_FETCHING)


def files_at_addresses(data: Any) -> Iterator[dict[str, Any]]:
    """Yield the files in what a program sent whose path is an address."""
    return (record for record in _records(data) if is_address(record.get("path")))


def _records(data: Any) -> Iterator[dict[str, Any]]:
    """Yield every dictionary in JSON, however deep, without recursion."""
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            yield value
            waiting.extend(value.values())
        elif isinstance(value, list | tuple):
            waiting.extend(value)


def _refusal_of(error: Exception) -> Refusal:
    if isinstance(error, Refused):
        return Refusal(error.status, str(error), error.retry_after)
    return Refusal(500, told(error))


def _content_length(scope: Message) -> int | None:
    for name, value in scope["headers"]:
        if name == b"content-length" and value.isdigit():
            return int(value)
    return None


async def _refuse(send: Send, refusal: Refusal) -> None:
    body = json.dumps({"detail": refusal.sentence, "error": refusal.sentence}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if refusal.retry_after is not None:
        headers.append((b"retry-after", str(refusal.retry_after).encode()))
    await send({"type": "http.response.start", "status": refusal.status, "headers": headers})
    await send({"type": "http.response.body", "body": body})

"""The one gate before gradio: what is not in the table of routes, or beyond a route's limits, does not get through."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

from mmner_core.errors import InputError
from mmner_core.serving.addresses import NO_FETCHING, asks_to_fetch
from mmner_core.serving.asgi import (
    Application,
    Message,
    Receive,
    Refusal,
    Refused,
    Send,
    answer,
    answer_json,
    content_length,
    cookies,
    header,
    refuse,
    retry_after,
    whole_body,
)
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.framework import Framework, Gradio
from mmner_core.serving.identifiers import check_fields, checked_query, identifier
from mmner_core.serving.json_body import read_object
from mmner_core.serving.limits import ConcurrencyLimit, RateLimit
from mmner_core.serving.origins import SAFE, Origins, lax_cookie
from mmner_core.serving.passage import hand_on
from mmner_core.serving.ranges import plain_range
from mmner_core.serving.routes import HEALTH, Body, Route, Who, find, table
from mmner_core.serving.upload_gate import UploadGate
from mmner_core.serving.uploads import UploadSpace
from mmner_core.serving.visitor import acting_for, visitor_of

BUSY_SECONDS = 5
FREE_BYTES = 2_000
TOKEN_BYTES = 250
"""A request longer than ``FREE_BYTES`` takes one more token for each so many bytes: work grows with the text."""
TOKEN_ITEMS = 4
"""A batch takes one more token for each so many items: short texts cost the model something, too."""
NOT_HERE = "There is nothing at this address."
NOT_SO = "This address is asked with {methods} only."
NO_ANSWER = "There is no answer at this address: it was fetched before, given up, or never asked for."
NOT_LOGGED_IN = "Log in first."
TOO_OFTEN = "You are asking faster than this server allows; try again in {seconds} s."
TOO_BIG = "The request is too big; at most {megabytes:g} MB are accepted here."
NO_LENGTH = "An upload must say how long it is (Content-Length)."
WRONG_KIND = "This address takes {body} (Content-Type: {kind})."
WRONG_FORM = 'An upload is a form whose parts are files, each under the name "files" and with a file name.'
WRONG_REQUEST = "The request does not have the form that this address takes."
NO_FUNCTION = "The page has no such function; reload it."
NO_RANGE = "The file does not have that range of bytes."
BUSY = "The server is busy at the moment; try again in some seconds."
_KINDS = {
    Body.JSON: ("application/json",),
    Body.FORM: ("application/x-www-form-urlencoded", "multipart/form-data"),
    Body.UPLOAD: ("multipart/form-data",),
}
_TROUBLE = """<!doctype html><html lang="en"><meta charset="utf-8"><meta http-equiv="refresh" content="5">
<title>No answers at the moment</title><p>{sentence} This page looks again by itself.</p></html>"""


class Gate:
    """Middleware that lets through what the table of routes allows.

    Args:
        app: the application.
        config: limits on size, and on how often and how much at once a visitor may send.
        space: where uploads go; None: their total is not limited.
        framework: knows what the application has.
        trouble: says why no answers are given at the moment; empty: they are.
    """

    def __init__(
        self,
        app: Application,
        *,
        config: ServingConfig,
        space: UploadSpace | None = None,
        framework: Framework | None = None,
        trouble: Callable[[], str] = str,
    ) -> None:
        self._app = app if space is None else UploadGate(app, space=space)
        self._config = config
        self._routes = table(config)
        self._origins = Origins(config)
        self._rate = RateLimit(config.visitor_rate, config.visitor_burst)
        self._read_rate = RateLimit(config.visitor_rate, config.visitor_burst)
        self._concurrency = ConcurrencyLimit(config.visitor_concurrency)
        self._framework = framework or Gradio()
        self._trouble = trouble
        self._prefix = urlsplit(config.root_path).path.rstrip("/")

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the sentence that says why not."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._answer(scope, receive, self._granting(scope, send))
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _answer(self, scope: Message, receive: Receive, send: Send) -> None:
        path = scope["path"].removeprefix(self._prefix) or "/"
        if path == HEALTH and scope["method"] in SAFE:  # before the host is judged: whoever watches asks by a number
            sentence = self._trouble()
            await answer_json(send, 503 if sentence else 200, {"status": sentence or "ok"})
            return
        with ExitStack() as held:
            try:
                if refusal := self._origins.judge(scope):
                    raise Refused(refusal)
                if scope["method"] == "OPTIONS" and self._origins.allowed_origin(scope):
                    await answer(send, 204, b"", b"text/plain")
                    return
                route, match = self._route(scope["method"], path)
                if path == "/" and (sentence := self._trouble()):
                    await answer(send, 503, _TROUBLE.format(sentence=sentence).encode(), b"text/html")
                    return
                await self._let_in(route, match, scope, receive, send, held)
            except Refused as refused:
                await refuse(send, refused.refusal)

    def _route(self, method: str, path: str) -> tuple[Route, re.Match[str]]:
        if asks_to_fetch(path):
            raise Refused(Refusal(403, NO_FETCHING))
        found = find(self._routes, method, path)
        if isinstance(found, tuple):
            return found
        if not found:
            raise Refused(Refusal(404, NOT_HERE))
        methods = " and ".join(sorted(found))
        allow = ((b"allow", ", ".join(sorted(found)).encode()),)
        raise Refused(Refusal(405, NOT_SO.format(methods=methods), allow))

    async def _let_in(
        self, route: Route, match: re.Match[str], scope: Message, receive: Receive, send: Send, held: ExitStack
    ) -> None:
        user = self._framework.user(scope.get("app"), cookies(scope)) if self._config.login else None
        if self._config.login and route.who is Who.LOGGED_IN and user is None:
            raise Refused(Refusal(401, NOT_LOGGED_IN))
        held.enter_context(acting_for(user))
        query = self._judge_address(route, match, scope)
        self._admit(route, scope, held)
        if route.body is Body.JSON:
            receive = await self._read_json(route, scope, receive)
        headers = plain_range(self._origins.settled(scope))
        inner = {**scope, "method": route.handed_as or scope["method"], "query_string": query, "headers": headers}
        encrypted = scope.get("scheme") == "https"
        refusal = await hand_on(
            self._app,
            inner,
            receive,
            send,
            limit=route.max_bytes,
            too_big=self._too_big(route),
            judge=lambda message: _judge_answer(message, encrypted=encrypted),
            blame=lambda error: _blame(route, error),
        )
        if refusal:
            raise Refused(refusal)

    def _judge_address(self, route: Route, match: re.Match[str], scope: Message) -> bytes:
        """Check the names in a request's path and its parameters; return the parameters to hand on."""
        names, application = match.groupdict(), scope.get("app")
        if "name" in names and not self._framework.has_call(application, names["name"]):
            raise Refused(Refusal(404, NOT_HERE))
        try:
            if "session" in names:
                identifier("session", names["session"])
            query = checked_query(scope.get("query_string", b""), route.query, route.needed_parameters)
        except InputError as error:
            raise Refused(Refusal(400, str(error))) from error
        if "event" in names and not self._framework.awaits(application, names["event"]):
            raise Refused(Refusal(404, NO_ANSWER))
        return query or route.unasked

    def _admit(self, route: Route, scope: Message, held: ExitStack) -> None:
        """Count a request with its visitor's, before any of it is read."""
        who, announced = visitor_of(scope), content_length(scope)
        rate = self._rate if route.body is not Body.NONE else self._read_rate
        if wait := rate.take(who) if route.cost else 0:
            seconds = math.ceil(wait)
            raise Refused(retry_after(429, TOO_OFTEN.format(seconds=seconds), seconds))
        if route.body is Body.NONE:
            return
        held.enter_context(self._concurrency.admit(who))
        if announced is not None and announced > route.max_bytes:
            raise Refused(self._too_big(route))
        kind = (header(scope, b"content-type") or "").partition(";")[0].strip().lower()
        if kind not in _KINDS[route.body] and (kind or announced != 0):
            accepted = " or ".join(_KINDS[route.body])
            raise Refused(Refusal(415, WRONG_KIND.format(body=route.body.value, kind=accepted)))
        if route.body is Body.UPLOAD and announced is None:
            raise Refused(Refusal(411, NO_LENGTH))

    async def _read_json(self, route: Route, scope: Message, receive: Receive) -> Receive:
        """Read and check a body; its visitor has paid for it before it is looked into."""
        announced = content_length(scope)
        self._charge(scope, announced or 0)
        parts, size, more = [], 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise Refused(Refusal(400, WRONG_REQUEST))  # nobody reads it
            parts.append(message.get("body", b""))
            size += len(parts[-1])
            if size > route.max_bytes:
                raise Refused(self._too_big(route))
            more = message.get("more_body", False)
        if announced is None:
            self._charge(scope, size)
        try:
            read = await read_object(b"".join(parts), route.json)
            check_fields(read.fields, route.fields, route.needed)
        except InputError as error:
            raise Refused(Refusal(400, str(error))) from error
        self._judge_function(scope.get("app"), read.fields)
        self._rate.charge(visitor_of(scope), _items(read.fields) / TOKEN_ITEMS)
        scope["headers"] = _of_length(scope["headers"], len(read.body))
        return whole_body(read.body, receive)

    def _judge_function(self, application: Any, fields: Mapping[str, Any]) -> None:
        part, name, function = (fields.get(key) for key in ("component_id", "fn_name", "fn_index"))
        if part is not None and not self._framework.has_part(application, part, str(name)):
            raise Refused(Refusal(404, NO_FUNCTION))
        if function is not None and not self._framework.has_function(application, function):
            raise Refused(Refusal(404, NO_FUNCTION))

    def _charge(self, scope: Message, size: int) -> None:
        self._rate.charge(visitor_of(scope), max(0, size - FREE_BYTES) / TOKEN_BYTES)

    def _too_big(self, route: Route) -> Refusal:
        return Refusal(413, TOO_BIG.format(megabytes=max(route.max_bytes // 10_000 / 100, 0.01)))

    def _granting(self, scope: Message, send: Send) -> Send:
        """Return ``send``, which lets the pages of an allowed site read the answer."""
        grants = self._origins.grants(scope)

        async def send_granted(message: Message) -> None:
            if grants and message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", ()), *grants]}
            await send(message)

        return send_granted


def _judge_answer(message: Message, *, encrypted: bool) -> Refusal | None:
    """Return what to say instead of the application's answer that begins with ``message``, or None.

    That it is full is told in our words. What is wrong with a request gradio tells by quoting it.
    """
    refusals = {
        503: retry_after(503, BUSY, BUSY_SECONDS),
        422: Refusal(422, WRONG_REQUEST),
        416: Refusal(416, NO_RANGE, tuple(h for h in message.get("headers", ()) if h[0] == b"content-range")),
    }
    if refusal := refusals.get(message.get("status", 200)):
        return refusal
    message["headers"] = [
        (name, lax_cookie(value, encrypted=encrypted) if name.lower() == b"set-cookie" else value)
        for name, value in message.get("headers", ())
    ]
    return None


def _blame(route: Route, error: Exception) -> Refusal | None:
    """Return what to say if an error is the request's fault: gradio reads forms as if they were its own page's."""
    if isinstance(error, Refused):
        return error.refusal
    is_forms = route.body is Body.UPLOAD and isinstance(error, TypeError | AttributeError | LookupError | ValueError)
    return Refusal(400, WRONG_FORM) if is_forms else None


def _items(fields: Mapping[str, Any]) -> int:
    """Return how many texts a request holds besides the first; a batch is a list as the first value."""
    data = fields.get("data")
    first = data[0] if isinstance(data, list) and data else None
    return max(0, len(first) - 1) if isinstance(first, list) else 0


def _of_length(headers: Any, length: int) -> list[tuple[bytes, bytes]]:
    """Return headers that announce JSON of another length."""
    kept = [h for h in headers if h[0] not in (b"content-length", b"content-type", b"transfer-encoding")]
    return [*kept, (b"content-type", b"application/json"), (b"content-length", str(length).encode())]

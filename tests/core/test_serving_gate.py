"""The gate before the web framework: what is not in its table, too often or too big does not get through."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from mmner_core.serving.asgi import Message, Receive, Send
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.gate import FREE_BYTES, TOKEN_BYTES, TOKEN_ITEMS, Gate
from mmner_core.serving.uploads import UploadSpace
from tests.told import names


class Application:
    """Reads a request to its end and answers 200; /config raises, /cancel says that there is no room."""

    def __init__(self) -> None:
        self.lengths: list[int] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Answer a request."""
        length, more = 0, True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise ConnectionError
            length += len(message.get("body", b""))
            more = message.get("more_body", False)
        if scope["path"] == "/config":
            raise KeyError("what a visitor wrote")
        self.lengths.append(length)
        status = 503 if scope["path"].endswith("/cancel") else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"max_size is 64"})


class Everything:
    """A framework that has whatever is asked for."""

    def has_call(self, application: Any, name: str) -> bool:
        """Know every name but one."""
        return name != "nope"

    def has_function(self, application: Any, number: int) -> bool:
        """Know a function."""
        return number < 10

    def has_part(self, application: Any, number: int, function: str) -> bool:
        """Know a part."""
        return number < 10

    def awaits(self, application: Any, event: str) -> bool:
        """Await an answer."""
        return event == "known"

    def user(self, application: Any, cookies: Mapping[str, str]) -> str | None:
        """Know who has a cookie."""
        return cookies.get("token")


def stand(application: Application | None = None, space: UploadSpace | None = None, **settings: Any) -> Gate:
    """Return a gate with these settings."""
    config = ServingConfig(**settings)
    return Gate(application or Application(), config=config, space=space, framework=Everything())


def data(size: int = 30) -> bytes:
    """Return a request of a size."""
    return b'{"data": ["' + b"x" * (size - 14) + b'"]}'


def ask(
    gate: Gate, path: str, *chunks: bytes, method: str = "POST", visitor: str = "10.0.0.1", announced: int | None = None
) -> tuple[int, str, dict[bytes, bytes]]:
    """Send a request through a gate; return status, sentence and headers."""
    waiting = [{"type": "http.request", "body": chunk, "more_body": True} for chunk in chunks]
    waiting.append({"type": "http.request", "body": b"", "more_body": False})
    sent: list[Message] = []

    async def receive() -> Message:
        return waiting.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    kind = b"multipart/form-data" if path == "/gradio_api/upload" else b"application/json"
    headers = [(b"host", b"127.0.0.1:7860"), (b"content-type", kind)]
    headers += [] if announced is None else [(b"content-length", str(announced).encode())]
    scope = {"type": "http", "method": method, "path": path, "client": (visitor, 1), "headers": headers}
    asyncio.run(gate(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    told = json.loads(body)["detail"] if sent[0]["status"] != 200 else ""
    return sent[0]["status"], told, dict(sent[0]["headers"])


def test_the_third_of_two_is_told_to_wait() -> None:
    """With the seconds, in the sentence and in the header; another visitor is let in, and reading is free."""
    gate = stand(visitor_rate=0.5, visitor_burst=2)
    assert [ask(gate, "/gradio_api/call/tag", data())[0] for _ in range(2)] == [200, 200]
    status, told, headers = ask(gate, "/gradio_api/call/tag", data())
    assert status == 429 and names(told, "2 s")
    assert headers[b"retry-after"] == b"2"
    assert ask(gate, "/gradio_api/call/tag", data(), visitor="10.0.0.2")[0] == 200
    assert ask(gate, "/", method="GET")[0] == 200


def test_a_long_request_takes_the_tokens_of_many() -> None:
    """Sixty-four texts in one call are no cheaper than in many; a short request pays one token, an upload as well."""
    gate = stand(visitor_rate=1, visitor_burst=10)
    assert ask(gate, "/gradio_api/call/tag_batch", data(FREE_BYTES + 12 * TOKEN_BYTES))[0] == 200
    told = ask(gate, "/gradio_api/call/tag_batch", data())[1]
    assert names(told, "4 s")
    short = [ask(gate, "/gradio_api/call/tag", data(FREE_BYTES), visitor="10.0.0.2")[0] for _ in range(11)]
    assert short == [200] * 10 + [429]
    big = b"x" * 100 * FREE_BYTES
    uploads = [ask(gate, "/gradio_api/upload", big, visitor="10.0.0.3", announced=len(big))[0] for _ in range(2)]
    assert uploads == [200, 200]


def test_each_few_items_of_a_batch_take_a_token() -> None:
    """However short the texts are."""
    gate = stand(visitor_rate=1, visitor_burst=10)
    items = b'{"data": [[' + b",".join([b"{}"] * (1 + 12 * TOKEN_ITEMS)) + b"]]}"
    assert ask(gate, "/gradio_api/call/tag_batch", items)[0] == 200
    assert names(ask(gate, "/gradio_api/call/tag_batch", data())[1], "4 s")


def test_a_full_application_is_told_in_our_words() -> None:
    """A visitor learns when to come back, not how the application counts."""
    body = b'{"session_hash": "a", "fn_index": 1, "event_id": "b"}'
    status, told, headers = ask(stand(), "/gradio_api/cancel", body)
    assert status == 503 and names(told, "busy") and "64" not in told
    assert headers[b"retry-after"] == b"5"


@pytest.mark.parametrize("announced", [None, 2_000_000])
def test_a_request_that_is_too_big_is_cut(announced: int | None) -> None:
    """Whether it says so or not; the application does not see more than is allowed."""
    application = Application()
    gate = stand(application, max_request_mb=1, visitor_rate=0)
    status, told, _ = ask(gate, "/gradio_api/call/tag_batch", *[bytes(100_000)] * 20, announced=announced)
    assert status == 413 and names(told, "1 MB")
    assert application.lengths == []
    assert ask(gate, "/gradio_api/call/tag_batch", data(900_000))[0] == 200


def test_uploads_have_their_own_limit_and_say_how_long_they_are() -> None:
    """A photo may be bigger than a question, and must announce its length."""
    gate = stand(max_request_mb=1, max_upload_mb=2, runs_from_browser=False)
    assert ask(gate, "/gradio_api/upload", bytes(2_000_000), announced=2_000_000)[0] == 200
    assert ask(gate, "/gradio_api/upload", announced=2_200_000)[0] == 413
    assert ask(gate, "/gradio_api/upload", bytes(10))[0] == 411


def test_uploads_share_a_limited_space(tmp_path: Path) -> None:
    """When it is full the next is sent away; when old ones are gone there is room again; bytes count, not promises."""
    space = UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path)
    gate = stand(space=space)
    statuses = [ask(gate, "/gradio_api/upload", bytes(400), announced=size)[0] for size in (400, 400, 10, 10)]
    assert statuses == [200, 200, 503, 503]
    space.sweep()  # nothing was written, so all the room is free
    assert ask(gate, "/gradio_api/upload", bytes(400), announced=400)[0] == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/gradio_api/file=http://10.0.0.1/x", 403),
        ("GET", "/gradio_api/file/http://10.0.0.1/x", 403),
        ("HEAD", "/gradio_api/file= HTTPS://example.com/x", 403),
        ("GET", "/gradio_api/file=//example.com/x", 403),
        ("GET", "/gradio_api/proxy=http://example.com/x", 403),
        ("POST", "/gradio_api/process_recording", 404),
        ("POST", "/gradio_api/run/tag", 404),
        ("POST", "/gradio_api/vibe-edit/", 404),
        ("GET", "/gradio_api/deep_link", 404),
        ("GET", "/monitoring", 404),
        ("GET", "/gradio_api/file=/tmp/a/b.jpg", 200),
        ("POST", "/gradio_api/call/tag", 200),
        ("POST", "/gradio_api/call/upload", 200),  # a name like any other
        ("POST", "/gradio_api/call/nope", 404),
        ("POST", "/upload", 404),
        ("POST", "/names/gradio_api/call/tag", 404),
        ("GET", "/gradio_api/call/tag", 405),
        ("GET", "/gradio_api/call/tag/known", 200),
        ("GET", "/gradio_api/call/tag/unknown", 404),
        ("PUT", "/", 405),
        ("GET", "/logout", 405),
    ],
)
def test_only_routes_in_the_table_are_open(method: str, path: str, status: int) -> None:
    """Whatever their path ends with; those that fetch are told why not."""
    assert ask(stand(), path, *([data()] if method == "POST" else []), method=method)[0] == status


def test_the_frameworks_own_fetching_stays_shut() -> None:
    """Also where photos may be fetched, since that is done within limits of ours."""
    gate = stand(fetch_urls=True)
    assert ask(gate, "/gradio_api/file=http://10.0.0.1/x", method="GET")[0] == 403


def test_an_error_that_nobody_caught_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """With a number under which the log has it."""
    with caplog.at_level(logging.ERROR):
        status, told, _ = ask(stand(), "/config", method="GET")
    assert status == 500
    assert "visitor wrote" not in told
    assert told.split("error ")[1][:8] in caplog.text


def test_a_proxy_may_leave_the_path_as_it_is() -> None:
    """Under which it shows the app; the routes are the same."""
    gate = stand(root_path="/names")
    assert ask(gate, "/names/gradio_api/call/tag", data())[0] == 200
    assert ask(gate, "/gradio_api/call/tag", data())[0] == 200
    assert ask(gate, "/namesake", method="GET")[0] == 404


def test_who_is_not_logged_in_is_not_read() -> None:
    """Where there is a login, a body is refused unread, and sessions are no one else's to end."""
    application = Application()
    gate = stand(application, login=("ada:secret",))
    for path in ("/gradio_api/call/tag", "/gradio_api/cancel", "/gradio_api/reset", "/gradio_api/upload"):
        assert ask(gate, path, b"nothing")[0] == 401
    assert ask(gate, "/gradio_api/heartbeat/x", method="GET")[0] == 401
    assert ask(gate, "/", method="GET")[0] == 200
    assert application.lengths == [0]

"""The gate before the web framework: what is too often, too big or asks for a fetch does not get through."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.errors import InputError
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.gate import TOKEN_BYTES, Gate, Message, Receive, Send, refuse_addresses
from mmner_core.serving.uploads import UploadSpace


class Application:
    """Reads a request to its end and answers 200; a path /fail raises, /full says that there is no room."""

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
        if scope["path"] == "/fail":
            raise KeyError("what a visitor wrote")
        self.lengths.append(length)
        status = 503 if scope["path"] == "/full" else 200
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": b"max_size is 64"})


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

    headers = [] if announced is None else [(b"content-length", str(announced).encode())]
    scope = {"type": "http", "method": method, "path": path, "client": (visitor, 1), "headers": headers}
    asyncio.run(gate(scope, receive, send))
    body = b"".join(message.get("body", b"") for message in sent[1:])
    told = json.loads(body)["detail"] if sent[0]["status"] != 200 else ""
    return sent[0]["status"], told, dict(sent[0]["headers"])


def test_the_third_of_two_is_told_to_wait() -> None:
    """With the seconds, in the sentence and in the header; another visitor is let in, and reading is free."""
    gate = Gate(Application(), config=ServingConfig(visitor_rate=0.5, visitor_burst=2))
    assert [ask(gate, "/gradio_api/queue/join")[0] for _ in range(2)] == [200, 200]
    status, told, headers = ask(gate, "/gradio_api/queue/join")
    assert (status, told) == (429, "You are asking faster than this server allows; try again in 2 s.")
    assert headers[b"retry-after"] == b"2"
    assert ask(gate, "/gradio_api/queue/join", visitor="10.0.0.2")[0] == 200
    assert ask(gate, "/", method="GET")[0] == 200


def test_a_long_request_takes_the_tokens_of_many() -> None:
    """Sixty-four texts in one call are no cheaper than in many; a short request pays one token, an upload as well."""
    gate = Gate(Application(), config=ServingConfig(visitor_rate=1, visitor_burst=10))
    assert ask(gate, "/gradio_api/call/tag_batch", *[b"x" * TOKEN_BYTES] * 13)[0] == 200
    assert (
        ask(gate, "/gradio_api/call/tag_batch")[1] == "You are asking faster than this server allows; try again in 4 s."
    )
    short = [ask(gate, "/gradio_api/call/tag", b"x" * TOKEN_BYTES, visitor="10.0.0.2")[0] for _ in range(11)]
    assert short == [200] * 10 + [429]
    big = b"x" * 100 * TOKEN_BYTES
    uploads = [ask(gate, "/upload", big, visitor="10.0.0.3", announced=len(big))[0] for _ in range(2)]
    assert uploads == [200, 200]


def test_a_full_application_is_told_in_our_words() -> None:
    """A visitor learns when to come back, not how the application counts."""
    status, told, headers = ask(Gate(Application(), config=ServingConfig()), "/full")
    assert (status, told) == (503, "The server is busy at the moment; try again in some seconds.")
    assert headers[b"retry-after"] == b"5"


@pytest.mark.parametrize("announced", [None, 2_000_000])
def test_a_request_that_is_too_big_is_cut(announced: int | None) -> None:
    """Whether it says so or not; the application does not see more than is allowed."""
    application = Application()
    gate = Gate(application, config=ServingConfig(max_request_mb=1, visitor_rate=0))
    status, told, _ = ask(gate, "/gradio_api/queue/join", *[bytes(100_000)] * 20, announced=announced)
    assert (status, told) == (413, "The request is too big; at most 1 MB are accepted here.")
    assert application.lengths == []
    assert ask(gate, "/gradio_api/queue/join", bytes(900_000))[0] == 200


def test_uploads_have_their_own_limit_and_say_how_long_they_are() -> None:
    """A photo may be bigger than a question, and must announce its length."""
    gate = Gate(Application(), config=ServingConfig(max_request_mb=1, max_upload_mb=2))
    assert ask(gate, "/gradio_api/upload", bytes(2_000_000), announced=2_000_000)[0] == 200
    assert ask(gate, "/gradio_api/upload", announced=2_200_000)[0] == 413
    assert ask(gate, "/gradio_api/upload", bytes(10))[0] == 411


def test_uploads_share_a_limited_space(tmp_path: Path) -> None:
    """When it is full the next is sent away; when old ones are gone there is room again; bytes count, not promises."""
    space = UploadSpace(max_bytes=1000, max_age=60, parent=tmp_path)
    gate = Gate(Application(), config=ServingConfig(), space=space)
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
        ("POST", "/api/names/gradio_api/queue/join", 200),
    ],
)
def test_routes_that_fetch_or_are_not_needed_are_shut(method: str, path: str, status: int) -> None:
    """And no others, wherever a proxy puts the app."""
    assert ask(Gate(Application(), config=ServingConfig()), path, method=method)[0] == status


def test_the_frameworks_own_fetching_stays_shut() -> None:
    """Also where photos may be fetched, since that is done within limits of ours."""
    gate = Gate(Application(), config=ServingConfig(fetch_urls=True))
    assert ask(gate, "/gradio_api/file=http://10.0.0.1/x", method="GET")[0] == 403


def test_an_error_that_nobody_caught_is_one_sentence(caplog: pytest.LogCaptureFixture) -> None:
    """With a number under which the log has it."""
    with caplog.at_level(logging.ERROR):
        status, told, _ = ask(Gate(Application(), config=ServingConfig()), "/fail")
    assert status == 500
    assert told.startswith("Something went wrong on our side (error ")
    assert "visitor wrote" not in told
    assert told.split("error ")[1][:8] in caplog.text


@pytest.mark.parametrize(
    "address", ["http://a/b", "HTTPS://a", " \thttp://a", "//a/b", "ftp://a", "file:///etc/passwd"]
)
def test_an_address_in_place_of_a_file_is_refused_however_deep(address: str) -> None:
    """The web framework would fetch it for any component."""
    record: Any = {"path": address, "meta": {"_type": "gradio.FileData"}}
    for _ in range(3000):  # deeper than Python's recursion goes
        record = [{"x": record}]
    with pytest.raises(InputError, match="fetches no web addresses"):
        refuse_addresses(["text", record])


@given(
    st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_other_data_passes(data: Any) -> None:
    """Texts that look like addresses are no files."""
    refuse_addresses([data, "http://example.com", {"path": "/tmp/a.jpg"}, {"text": "see http://example.com"}])

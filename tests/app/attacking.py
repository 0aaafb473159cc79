"""Talk to the app as somebody does who does not use its page: raw paths, raw JSON, many addresses."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import httpx

FILE = {"meta": {"_type": "gradio.FileData"}}  # what makes gradio take a dictionary for a file
TARGETS = ("href", "src", "srcset", "action", "formaction", "data", "poster", "xlink:href", "style")
EVENT_HANDLERS = ("onerror", "onload", "onclick", "onmouseover", "onfocus", "ontoggle")


def visitor(url: str, number: int) -> httpx.Client:
    """Return a client that comes from an address of its own, 127.0.2.``number``."""
    transport = httpx.HTTPTransport(local_address=f"127.0.2.{number}")
    return httpx.Client(base_url=url, transport=transport, timeout=60)


def get_raw(url: str, path: str) -> tuple[int, bytes]:
    """Fetch a path exactly as written: no dot is resolved, nothing is quoted."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=30)
    try:
        connection.putrequest("GET", path, skip_accept_encoding=True)
        connection.endheaders()
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def call(client: httpx.Client, name: str, data: Any) -> tuple[bool, str]:
    """Call a public handler; return whether it answered, and the JSON of the answer or of the error."""
    # Not httpx's own JSON: that refuses lone surrogates, which others may well send.
    joined = client.post(
        f"/gradio_api/call/{name}", content=json.dumps({"data": data}), headers={"Content-Type": "application/json"}
    )
    if joined.status_code != 200:
        return False, joined.text
    answer = client.get(f"/gradio_api/call/{name}/{joined.json()['event_id']}").text
    event, _, told = answer.strip().rpartition("\n")
    return event.endswith("event: complete"), told.removeprefix("data: ")


def sentence(told: str) -> str:
    """Return the sentence in an error, whether the app or its gate told it."""
    record = json.loads(told)
    return str(record.get("error") or record.get("detail")) if isinstance(record, dict) else str(record)


def upload(client: httpx.Client, name: str, content: bytes) -> httpx.Response:
    """Upload a file."""
    return client.post("/gradio_api/upload", files={"files": (name, content)})


@dataclass
class Trap:
    """A web server of ours that the app must never ask for anything."""

    url: str = ""
    asked: list[str] = field(default_factory=list)


@contextmanager
def trap() -> Iterator[Trap]:
    """Listen on this machine: every path redirects to another, and is written down."""
    found = Trap()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # noqa: N802 (http.server's name for it)
            found.asked.append(self.path)
            self.send_response(302)
            self.send_header("Location", "/elsewhere.jpg")
            self.end_headers()

        do_HEAD = do_POST = do_GET  # noqa: N815

        def log_message(self, *values: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    found.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


class _Active(HTMLParser):
    """Collects what a browser would run or fetch."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element."""
        for name, value in attrs:
            target = (value or "").strip().lower()
            leads = name in TARGETS and target.startswith(("javascript:", "http:", "https:", "//"))
            if name in EVENT_HANDLERS or leads:
                self.found.append(f"<{tag} {name}={value}>")
        if tag in ("script", "iframe", "object", "embed", "base", "meta"):
            self.found.append(f"<{tag}>")


def active_content(html: str) -> list[str]:
    """Return what a browser would run or fetch from elsewhere in a piece of HTML."""
    parser = _Active()
    parser.feed(html)
    parser.close()
    return parser.found

"""The server forgets the oldest visits; whoever comes back to one is told so, and asks once more."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from analysis.views.service import TagService
from analysis.views.tag.examples import demo_examples
from app import build_app, launch_options
from mmner_core.serving.guard import guarded
from tests.app.serving import launched

pytestmark = pytest.mark.slow  # serves an app of its own

TEXT = "Barack Obama was in Berlin with Ada Lovelace"
FORGOTTEN = "Your question is no longer known here"


class Visit:
    """A page that somebody opened: what its button and its marks send."""

    def __init__(self, client: httpx.Client) -> None:
        self._client = client
        self._session = secrets.token_hex(6)
        self._config = client.get("config").json()
        self._names = {part["id"]: part["props"].get("elem_id") for part in self._config["components"]}
        self._held = {part["id"]: part["props"].get("value") for part in self._config["components"]}

    def ask(self) -> str:
        """Press the button, with a sentence and a photo; return the result."""
        photo = demo_examples()[0].photo
        assert photo
        (path,) = self._client.post("gradio_api/upload", files={"files": photo.read_bytes()}).json()
        upload = {"path": path, "meta": {"_type": "gradio.FileData"}}
        self._held |= {self._number("wb-sentence"): TEXT, self._number("wb-photo"): upload}
        self._send("wb-run", "click")
        return str(self._held[self._number("wb-result")])

    def click_name(self) -> tuple[Any, str]:
        """Click the first name; return the heat map and what is written below it."""
        _, heat_map, caption, *_ = self._send("wb-result", "select", {"entity": 0})
        return heat_map, caption

    def _number(self, name: str) -> int:
        return next(number for number, known in self._names.items() if known == name)

    def begin_click(self) -> None:
        """Click the first name and do not wait."""
        self._join(self._handler("wb-result", "select"), {"entity": 0})

    def listen(self) -> str:
        """Return all that is told until every click is answered."""
        return self._client.get(f"gradio_api/queue/data?session_hash={self._session}").text

    def _handler(self, part: str, happened: str) -> dict[str, Any]:
        target = [self._number(part), happened]
        handlers: list[dict[str, Any]] = self._config["dependencies"]
        return next(handler for handler in handlers if target in handler["targets"])

    def _join(self, handler: dict[str, Any], data: dict[str, Any] | None) -> str:
        inputs = [self._held[number] for number in handler["inputs"]]
        body = {"data": inputs, "fn_index": handler["id"], "session_hash": self._session, "event_data": data}
        return str(self._client.post("gradio_api/queue/join", json=body).raise_for_status().json()["event_id"])

    def _send(self, part: str, happened: str, data: dict[str, Any] | None = None) -> list[Any]:
        handler = self._handler(part, happened)
        event = self._join(handler, data)
        told = self.listen()
        messages = [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line.startswith("data: ")]
        done = next(m for m in messages if m["msg"] == "process_completed" and m["event_id"] == event)
        assert done["success"], done
        outputs = done["output"]["data"]
        for number, value in zip(handler["outputs"], outputs, strict=True):
            self._held[number] = value.get("value", self._held[number]) if isinstance(value, dict) else value
        return outputs


@pytest.fixture
def client(service: TagService) -> Iterator[httpx.Client]:
    """Serve the app, but so that it remembers one visit only."""
    options = launch_options(service.config, guarded(service.config)) | {"state_session_capacity": 1}
    with launched(build_app(service), options) as opened:
        yield opened


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # gradio's, from counting its requests
def test_a_visitor_who_was_forgotten_asks_once_more(client: httpx.Client) -> None:
    """A name clicked after others came gets one sentence instead of a heat map, and after that all is as it was."""
    first, second = Visit(client), Visit(client)
    first.ask()
    before = first.click_name()
    assert before[0]["value"]["url"] and FORGOTTEN not in before[1]
    second.ask()
    heat_map, told = first.click_name()
    assert FORGOTTEN in told and "value" not in heat_map
    first.ask()
    assert first.click_name()[1] == before[1]

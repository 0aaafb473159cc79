"""A page that has been open for long is answered like any other, however many visitors came since."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from analysis.views.service import TagService
from app import build_app, launch_options
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.guard import guarded
from tests.app.serving import launched
from tests.load.wire import RESULT, Handler

pytestmark = pytest.mark.slow  # serves an app of its own

REMEMBERED = 20
"""Sessions whose messages are kept; a server that runs for days has many times more than the 2,000 of gradio."""


@pytest.fixture
def client(service: TagService) -> Iterator[httpx.Client]:
    """Serve the app, but with room for the messages of few sessions."""
    config = ServingConfig(visitor_rate=0)
    app = build_app(service)
    app._queue.pending_messages_per_session.max_size = REMEMBERED
    with launched(app, launch_options(config, guarded(config)), timeout=20) as opened:
        yield opened


def messages(told: str) -> list[dict[str, Any]]:
    """Read a stream of events."""
    return [json.loads(line.removeprefix("data: ")) for line in told.splitlines() if line.startswith("data: ")]


@pytest.mark.filterwarnings("ignore::pandas.errors.Pandas4Warning")  # gradio's, from counting its requests
def test_who_came_long_ago_and_waits_is_answered_and_stops_nobody(client: httpx.Client) -> None:
    """Their click waits behind others' while so many new visitors ask that the oldest would be forgotten."""
    click = Handler.find(client.get("config").json(), RESULT, "select")

    def join(session: str) -> str:
        body = {"data": list(click.values), "fn_index": click.number, "session_hash": session}
        response = client.post("gradio_api/queue/join", json=body | {"event_data": {"entity": 0}})
        return str(response.raise_for_status().json()["event_id"])

    def ask() -> httpx.Response:
        return client.post("gradio_api/call/models", json={"data": []})

    join("a-page-of-long-ago")
    client.get("gradio_api/queue/data?session_hash=a-page-of-long-ago")
    for _ in range(REMEMBERED - 6):
        ask().raise_for_status()
    for _ in range(40):
        join("a-page-of-today")
    waiting = join("a-page-of-long-ago")
    for _ in range(10):
        ask().raise_for_status()
    told = messages(client.get("gradio_api/queue/data?session_hash=a-page-of-long-ago").text)
    assert [m["msg"] for m in told if m.get("event_id") == waiting][-1] == "process_completed"
    later = ask().raise_for_status().json()["event_id"]
    assert "event: complete" in client.get(f"gradio_api/call/models/{later}").text

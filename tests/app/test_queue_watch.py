"""The queue that all visitors share: when its loop dies it is started again, and who was lost is told."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from gradio.server_messages import ProcessCompletedMessage

from analysis.views.service import TagService
from app import build_app, launch_options
from mmner_core.serving.guard import guarded
from mmner_core.serving.watchdog import LOST, Watchdog
from tests.app.attacking import call, sentence
from tests.app.serving import launched

pytestmark = pytest.mark.slow  # attacks an app of its own

TEXT = "Ada Lovelace in Berlin"


@contextmanager
def serving(service: TagService, watchdog: Watchdog) -> Iterator[tuple[Any, httpx.Client]]:
    """Serve the app from this process, where its queue is within reach."""
    app = build_app(service)
    options = launch_options(service.config, guarded(service.config, None, watchdog))
    with launched(app, options) as client:
        yield app, client


class Broken:
    """Stands in for a method of the queue that fails some times, as a visitor's request once made it."""

    def __init__(self, method: Any, times: int) -> None:
        self.method = method
        self.times = times
        self.failed = threading.Event()

    def __call__(self, *arguments: Any) -> Any:
        """Fail, or do what the method does."""
        if self.times > 0:
            self.times -= 1
            self.failed.set()
            raise KeyError("a visitor's session")
        return self.method(*arguments)


@pytest.fixture
def watchdog() -> Watchdog:
    """Return a watchdog as the app has it, but one that gives us time to see the queue dead."""
    return Watchdog(
        lost=functools.partial(ProcessCompletedMessage, output={"error": LOST}, success=False),
        every=4,
    )


def test_a_queue_that_died_is_started_again(service: TagService, watchdog: Watchdog) -> None:
    """Who waits when it dies is answered all the same; meanwhile page and health route say what is."""
    with serving(service, watchdog) as (app, client):
        assert client.get("/health").json() == {"status": "ok"}
        app._queue.get_events = broken = Broken(app._queue.get_events, 1)
        joined = client.post("/gradio_api/call/tag", json={"data": [TEXT]}).json()["event_id"]
        assert broken.failed.wait(10)
        response = wait_for(client, 503)
        assert response.json()["status"].endswith(".")
        page = client.get("/")
        assert page.status_code == 503 and "started again" in page.text
        assert wait_for(client, 200).json() == {"status": "ok"}
        assert client.get("/").status_code == 200
        assert "event: complete" in client.get(f"/gradio_api/call/tag/{joined}").text
        assert call(client, "tag", [TEXT])[0]


def test_whose_request_was_at_work_is_told(
    service: TagService, watchdog: Watchdog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Instead of waiting for ever."""
    begun, over = threading.Event(), threading.Event()

    def slow(*_: Any) -> Any:
        begun.set()
        over.wait(30)
        return ["mini"]

    with serving(service, watchdog) as (app, client):
        monkeypatch.setattr(next(fn for fn in app.fns.values() if fn.api_name == "models"), "fn", slow)
        joined = client.post("/gradio_api/call/models", json={"data": []}).json()["event_id"]
        assert begun.wait(10)
        app._queue.get_events = Broken(app._queue.get_events, 1)
        other = client.post("/gradio_api/call/tag", json={"data": [TEXT]}).json()["event_id"]
        told = client.get(f"/gradio_api/call/models/{joined}").text
        over.set()
        assert "event: error" in told and sentence(told.strip().rpartition("data: ")[2]) == LOST
        assert "event: complete" in client.get(f"/gradio_api/call/tag/{other}").text
        assert call(client, "tag", [TEXT])[0]


def test_a_queue_that_dies_again_and_again_ends_the_server(service: TagService) -> None:
    """So that whatever watches it starts it anew."""
    ended = threading.Event()
    watchdog = Watchdog(give_up=ended.set, every=0.1)
    with serving(service, watchdog) as (app, client):
        app._queue.get_events = Broken(app._queue.get_events, 10**9)
        client.post("/gradio_api/call/tag", json={"data": [TEXT]}).raise_for_status()
        assert ended.wait(60)
        assert watchdog.gave_up
        assert client.get("/health").status_code == 503


def wait_for(client: httpx.Client, status: int) -> httpx.Response:
    """Ask for the server's health until it is as expected."""
    for _ in range(600):
        response = client.get("/health")
        if response.status_code == status:
            return response
        threading.Event().wait(0.05)
    raise AssertionError(f"the health route did not answer {status}")

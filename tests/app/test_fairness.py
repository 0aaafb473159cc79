"""While one address does its worst, another's questions are answered, soon, and what the server holds stays bounded."""

from __future__ import annotations

import io
import json
import re
import shutil
import socket
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
from PIL import Image

from mmner_core.serving.gate import BUSY
from tests.app.attacking import FILE, call, sentence, upload, visitor
from tests.app.bystander import TEXT, bystander
from tests.app.test_forgotten import Visit
from tests.load.app_process import AppProcess, running_app

pytestmark = pytest.mark.slow  # attacks an app of its own

CONNECTIONS = 20
MEGAPIXELS = 45
UNKNOWN = "/gradio_api/queue/data?session_hash=nobody"


@pytest.fixture(scope="module")
def app(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """Serve the app with three models, room for two, and little patience with what nobody fetches."""
    folder = tmp_path_factory.mktemp("app")
    for name in ("beta", "gamma"):
        shutil.copytree(tiny_checkpoint, folder / "models" / name)
    options = ["--checkpoints", str(folder / "models"), "--visitor-burst", "2000", "--visitor-answers-mb", "1"]
    options += ["--answer-minutes", "0.2", "--visitor-connections", str(CONNECTIONS), "--visitor-loads", "4"]
    options += ["--visitor-megapixels", str(MEGAPIXELS)]
    with running_app(tiny_checkpoint, folder, *options) as process:
        yield process


def draw(width: int, height: int, colour: str = "white") -> bytes:
    """Draw an image of one colour: many pixels, few bytes."""
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(buffer, "PNG")
    return buffer.getvalue()


def join(client: httpx.Client, text: str) -> str:
    """Ask and do not wait, though for a place where as many of one's own wait as may; return the answer's number."""
    while True:
        joined = client.post("/gradio_api/call/tag", json={"data": [text, None, "en", ""]})
        if joined.status_code == 200:
            return str(joined.json()["event_id"])
        assert joined.status_code == 503
        time.sleep(0.2)


def test_answers_that_nobody_fetches_are_given_up(app: AppProcess) -> None:
    """The oldest of whoever leaves many, and all after a while; another's waits."""
    with bystander(app.url, 210), visitor(app.url, 1) as careless, visitor(app.url, 2) as other:
        waiting = join(other, TEXT)
        first = join(careless, TEXT)
        for i in range(60):
            last = join(careless, f"{TEXT} {i}")
        time.sleep(1.5)
        assert careless.get(f"/gradio_api/call/tag/{first}").status_code == 404
        assert "event: complete" in other.get(f"/gradio_api/call/tag/{waiting}").text
        assert "event: complete" in careless.get(f"/gradio_api/call/tag/{last}").text
        late = join(other, TEXT)
        time.sleep(14)
        assert other.get(f"/gradio_api/call/tag/{late}").status_code == 404


def test_pixels_are_charged(app: AppProcess) -> None:
    """A hundred kilobytes of 45 million pixels, again and again: soon refused, and others' photos are looked at."""
    photos = [draw(9000, 5000, colour) for colour in ("red", "green", "blue", "black", "gray")]
    with bystander(app.url, 211, draw(300, 200)), visitor(app.url, 3) as client, ThreadPoolExecutor(3) as threads:
        paths = [upload(client, "big.png", photo).json()[0] for photo in photos]

        def ask(path: str) -> tuple[bool, str]:
            return call(client, "tag", [TEXT, {"path": path, **FILE}, "en", ""])

        answers = list(threads.map(ask, paths))
    refused = [sentence(told) for fine, told in answers if not fine]
    assert 0 < len(refused) < len(answers)
    assert all("more pixels than one visitor may send in a minute" in told for told in refused)


def test_clicks_of_one_visitor_do_not_hold_up_anothers(app: AppProcess) -> None:
    """Each visit's are answered one after the other, those of different visits side by side."""
    with bystander(app.url, 212), visitor(app.url, 4) as greedy, visitor(app.url, 5) as other:
        first, second = Visit(greedy), Visit(other)
        first.ask()
        second.ask()
        for _ in range(24):
            first.begin_click()
        with ThreadPoolExecutor(1) as thread:
            listening = thread.submit(first.listen)
            heat_map, _ = second.click_name()
            came_first = not listening.done()
            told = listening.result()
    assert heat_map["value"]["url"] and came_first
    assert told.count('"process_completed"') == 24 and '"success":false' not in told


def test_models_do_not_go_in_and_out_for_one_visitor(app: AppProcess) -> None:
    """Who asks for one after the other is told to stay; the model that others use stays in memory."""

    def loads() -> list[str]:
        return re.findall(r": loading model (\S+)", app.log.read_text())

    with bystander(app.url, 213), visitor(app.url, 6) as client:
        before = len(loads())
        answers = [call(client, "tag", [TEXT, None, "en", "", ("beta", "gamma")[i % 2]]) for i in range(20)]
        caused = loads()[before:]
    assert len(caused) <= 5
    assert set(caused) <= {"beta", "gamma"}
    refused = [sentence(told) for fine, told in answers if not fine]
    assert refused and all("as often as allowed (4 times a minute)" in told for told in refused)


def test_connections_of_one_address_are_limited(app: AppProcess) -> None:
    """Those beyond the limit are closed at once; others get in."""
    with bystander(app.url, 214), ExitStack() as lines:
        opened = [
            lines.enter_context(socket.create_connection(("127.0.0.1", app.port), 10, ("127.0.2.7", 0)))
            for _ in range(3 * CONNECTIONS)
        ]
        time.sleep(1)
        assert sum(is_open(line) for line in opened) == CONNECTIONS


def is_open(line: socket.socket) -> bool:
    """Say whether the other side still listens."""
    line.setblocking(False)
    try:
        return line.recv(1) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


def test_streams_of_one_visitor_are_limited(app: AppProcess) -> None:
    """Also of those who come through a proxy, which holds their connections."""
    with bystander(app.url, 215), ExitStack() as opened:
        answers = []
        for _ in range(CONNECTIONS + 5):
            client = opened.enter_context(httpx.Client(base_url=app.url, headers={"X-Forwarded-For": "127.0.3.1"}))
            answers.append(opened.enter_context(client.stream("GET", "/gradio_api/heartbeat/abcdef123456")))
        assert [answer.status_code for answer in answers] == [200] * CONNECTIONS + [429] * 5


def test_the_log_does_not_grow_with_empty_streams(app: AppProcess) -> None:
    """A session that there is not is told so, as gradio's page expects it; nothing of it is in the log."""
    with bystander(app.url, 216), visitor(app.url, 8) as client:
        before = app.log.stat().st_size
        for _ in range(100):
            told = client.get(UNKNOWN).text
        assert json.loads(told.removeprefix("data: "))["session_not_found"] is True
    assert "Traceback" not in app.log.read_text()
    assert app.log.stat().st_size - before < 5_000 + 200 * 100  # and a line for each of the bystander's questions


def test_the_log_does_not_grow_with_nonsense(app: AppProcess) -> None:
    """What is no HTTP is warned of some times, then counted."""
    before = app.log.read_text().count("Invalid HTTP request")
    for _ in range(60):
        with socket.create_connection(("127.0.0.1", app.port), 10, ("127.0.2.9", 0)) as line:
            line.sendall(b"\0\0\0\r\n\r\n")
            assert line.recv(100).startswith(b"HTTP/1.1 400")
    assert app.log.read_text().count("Invalid HTTP request") - before <= 10


def test_who_waits_for_little_finds_room_where_others_wait_for_much(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Two visitors fill the queue; a third is let in and answered, and one of the two is told that it is full."""
    options = ["--queue-size", "8", "--concurrency", "2", "--visitor-burst", "1000", "--visitor-concurrency", "1"]
    text = "Ada Lovelace met Grace Hopper in Berlin. " * 200
    with running_app(tiny_checkpoint, tmp_path, *options) as app, ExitStack() as opened:
        greedy = [opened.enter_context(visitor(app.url, number)) for number in (1, 2)]
        joined: dict[httpx.Client, list[httpx.Response]] = {client: [] for client in greedy}
        for client in greedy * 6:
            joined[client].append(client.post("/gradio_api/call/tag", json={"data": [text, None, "en", ""]}))
        with visitor(app.url, 3) as modest:
            assert call(modest, "tag", ["Ada in Berlin", None, "en", ""])[0]
        answers = [
            client.get(f"/gradio_api/call/tag/{response.json()['event_id']}").text
            for client in greedy
            for response in joined[client]
            if response.status_code == 200
        ]
    assert any("event: complete" in answer for answer in answers)
    assert all("event: complete" in answer or BUSY in answer for answer in answers)

"""What a hostile visitor gets from a running app: one sentence, no file, no fetch, no trace, nobody's text."""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from analysis.views.tag.examples import demo_examples
from mmner_core.serving.gate import BUSY, NO_ANSWER
from tests.app.attacking import FILE, Trap, active_content, call, get_raw, sentence, trap, upload, visitor
from tests.load.app_process import AppProcess, running_app
from tests.load.questions import Question, UploadedPhoto
from tests.load.wire import Session

pytestmark = pytest.mark.slow  # attacks an app of its own

REPOSITORY = Path(__file__).resolve().parents[2]
TEXT = "Ada Lovelace in Berlin"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script> [a](javascript:alert(3)) **b** {{1+1}} ${1+1}'
MARKER = "Quellbrunnsoweit"  # a word that stands in no log for any other reason
INSIDE = re.compile(r"/work|/tmp|/home|site-packages|Traceback|\.py\b|File \"")
LOGIN = ("ada", "correct horse")


@pytest.fixture(scope="module")
def guarded(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """Serve the app with a login and with room for one request at a time and one that waits."""
    folder = tmp_path_factory.mktemp("guarded")
    options = ["--visitor-rate", "0.01", "--visitor-burst", "8", "--queue-size", "1", "--concurrency", "1"]
    options += ["--login", ":".join(LOGIN), "--upload-space-mb", "0.1"]
    with running_app(tiny_checkpoint, folder, *options) as process:
        yield process


@pytest.fixture(scope="module")
def server() -> Iterator[Trap]:
    """Listen where the app must not ask."""
    with trap() as listening:
        yield listening


@contextmanager
def logged_in(app: AppProcess, number: int) -> Iterator[httpx.Client]:
    """Be a visitor who has given the password."""
    with visitor(app.url, number) as opened:
        opened.post("/login", data={"username": LOGIN[0], "password": LOGIN[1]}).raise_for_status()
        yield opened


def press_button(app: AppProcess, question: Question) -> list[Any]:
    """Ask as the page does; return everything the page is told to show."""

    async def ask() -> list[Any]:
        async with httpx.AsyncClient(base_url=app.url, timeout=60) as client:
            session = Session(client)
            return await session.outputs(await session.open(), question)

    return asyncio.run(ask())


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../../../../../../etc/passwd",
        "..%2f..%2f..%2f..%2f..%2fetc%2fpasswd",
        "..%252f..%252f..%252fetc%252fpasswd",
        "%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "%2fetc%2fpasswd",
        "//etc/passwd",
        "file:///etc/passwd",
        "/etc/passwd%00.jpg",
        "~/.bashrc",
        "/proc/self/environ",
        "/proc/self/cwd/app.py",
        "app.py",
        ".git/config",
        "{repository}/app.py",
        "{repository}/requirements.txt",
        "{repository}/analysis/demo/photos/../examples.json",
        "{repository}/checkpoints/mini/config.json",
        "{checkpoint}/config.json",
        "{checkpoint}/model.safetensors",
        "{log}",
    ],
)
@pytest.mark.parametrize("route", ["/gradio_api/file=", "/gradio_api/file/", "/static/", "/assets/", "/svelte/"])
def test_no_file_of_the_server_is_served(app: AppProcess, tiny_checkpoint: Path, route: str, path: str) -> None:
    """Neither by its absolute path, nor by climbing, nor quoted once or twice."""
    path = path.format(repository=REPOSITORY, checkpoint=tiny_checkpoint, log=app.log)
    status, body = get_raw(app.url, route + path)
    assert status in (400, 403, 404)
    assert len(body) < 300
    assert b"root:" not in body


def test_photos_of_the_examples_are_served(client: httpx.Client) -> None:
    """The photos that ship are there, so that the refusals above mean something."""
    photo = next(example.photo for example in demo_examples() if example.photo)
    assert client.get(f"/gradio_api/file={photo}").content == photo.read_bytes()


@pytest.mark.parametrize("name", ["page.html", "image.svg", "../../page.html"])
def test_an_uploaded_page_is_a_download(client: httpx.Client, app: AppProcess, name: str) -> None:
    """What a visitor uploads never runs in another's browser under our address, and stays in the uploads' folder."""
    (path,) = upload(client, name, b"<svg onload=alert(1)><script>alert(1)</script></svg>").json()
    assert Path(path).resolve().is_relative_to(app.temporary.resolve())
    response = client.get(f"/gradio_api/file={path}")
    assert response.headers["content-disposition"].startswith("attachment")
    assert response.headers["content-type"] == "application/octet-stream"


def test_big_uploads_are_refused_and_leave_nothing(client: httpx.Client, app: AppProcess) -> None:
    """Announced or not, a file over the limit is told in one sentence and is not on the disk afterwards."""
    before = set(app.temporary.rglob("*.jpg"))
    for response in (
        upload(client, "big.jpg", bytes(2_300_000)),
        client.post(
            "/gradio_api/upload",
            content=iter([bytes(100_000)] * 30),
            headers={"Content-Type": "multipart/form-data; boundary=x"},
        ),
        client.post("/gradio_api/call/tag", content=b"[" * 9_000_000),
    ):
        assert response.status_code in (411, 413)
        assert not INSIDE.search(response.text)
    assert set(app.temporary.rglob("*.jpg")) == before
    assert all(path.stat().st_size < 2_200_000 for path in app.temporary.rglob("*") if path.is_file())


def test_uploads_together_are_limited(guarded: AppProcess) -> None:
    """When the room for uploads is used up, the next is asked to come back later."""
    with logged_in(guarded, 20) as client:
        responses = [upload(client, f"{i}.jpg", bytes([i]) * 45_000) for i in range(3)]
    assert [response.status_code for response in responses] == [200, 200, 503]
    assert "no room" in sentence(responses[2].text)


@pytest.mark.parametrize(
    "path",
    [
        "file={url}/x",
        "file=HTTP:{rest}/x",
        "file=%68ttp:{rest}/x",
        "file={rest}/x",
        "file=ftp:{rest}/x",
        "file=https:/{rest}/x",
        "file=http://1.1.1.1/x",
        "file=http://169.254.169.254/latest/meta-data",
        "file=http://[::1]:80/",
        "proxy={url}/x",
    ],
)
def test_no_address_is_fetched_for_a_path(app: AppProcess, server: Trap, path: str) -> None:
    """The server is nobody's way to other servers: this machine, its network, or the world."""
    status, body = get_raw(app.url, "/gradio_api/" + path.format(url=server.url, rest=server.url.removeprefix("http:")))
    assert status == 403
    assert len(body) < 300
    assert server.asked == []


@pytest.mark.parametrize(
    "image",
    [
        {"path": "{url}/a.jpg", **FILE},
        {"path": "{url}/a.jpg"},
        {"url": "{url}/a.jpg", **FILE},
        {"path": "", "url": "{url}/a.jpg", **FILE},
        {"path": None, "url": "{url}/a.jpg", **FILE},
        {"path": "\t{url}/a.jpg", **FILE},
        {"path": "http://1.1.1.1/a.jpg", **FILE},
        {"path": "http://169.254.169.254/a.jpg", **FILE},
        {"path": "//1.1.1.1/a.jpg", **FILE},
        {"path": "data:image/png;base64,iVBORw0KGgo=", **FILE},
        {"path": "/gradio_api/file={url}/a.jpg", **FILE},
        {"path": "file:///etc/passwd", **FILE},
        {"path": "/etc/passwd", **FILE},
        {"path": "/proc/self/environ", **FILE},
        {"path": "/etc/passwd\0.jpg", **FILE},
        {"path": ["/etc/passwd"], **FILE},
        {"path": {"path": "/etc/passwd", **FILE}},
        "{url}/a.jpg",
        "data:image/png;base64,iVBORw0KGgo=",
        "/etc/passwd",
        ["/etc/passwd"],
        5,
        True,
    ],
    ids=str,
)
def test_a_photo_must_be_uploaded(client: httpx.Client, server: Trap, image: Any) -> None:
    """Addresses, data and paths in place of an upload are refused in one sentence, and nothing is fetched or read."""
    image = json.loads(json.dumps(image).replace("{url}", server.url))
    for name, data in (
        ("tag", [TEXT, image, "auto", ""]),
        ("heat_map", [TEXT, image]),
        ("tag_batch", [[{"text": TEXT, "image": image}]]),
    ):
        fine, told = call(client, name, data)
        if name == "tag_batch" and fine:
            told = json.dumps(json.loads(told)[0][0])
        assert sentence(told).endswith(".") and sentence(told).count(". ") <= 1
        assert not INSIDE.search(told)
        assert "root:" not in told
    assert server.asked == []


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("tag", []),
        ("tag", [None, None, None, None]),
        ("tag", [5, None, "auto", ""]),
        ("tag", [{"a": 1}, None, "auto", ""]),
        ("tag", [TEXT, None, {"a": 1}, ""]),
        ("tag", [TEXT, None, "auto", ["x"]]),
        ("tag", [TEXT, None, "auto", "", "../../etc"]),
        ("tag", [TEXT, None, "auto", "", 7]),
        ("tag", [TEXT, {"path": None, **FILE}, "auto", ""]),
        ("heat_map", [TEXT]),
        ("heat_map", [TEXT, None, "x"]),
        ("tag_batch", ["x"]),
        ("tag_batch", [[5]]),
    ],
    ids=str,
)
def test_errors_tell_one_sentence_and_nothing_of_the_inside(client: httpx.Client, name: str, data: list[Any]) -> None:
    """Whatever is wrong, a visitor learns no path, no file and no trace."""
    fine, told = call(client, name, data)
    told = json.dumps(json.loads(told)[0][0]) if fine and name == "tag_batch" else told
    assert sentence(told).endswith(".")
    assert not INSIDE.search(told)


def test_an_answer_that_nobody_awaits_is_told(client: httpx.Client) -> None:
    """A number that was never given, and one whose answer was fetched: 404 and a sentence, no stream without an end."""
    joined = client.post("/gradio_api/call/tag", json={"data": [TEXT]}).json()["event_id"]
    first = client.get(f"/gradio_api/call/tag/{joined}")
    assert first.status_code == 200 and "event: complete" in first.text
    for number in (joined, "0123456789abcdef", "%2e%2e", MARKER):
        response = client.get(f"/gradio_api/call/tag/{number}", timeout=5)
        assert response.status_code == 404
        assert response.json()["detail"] == NO_ANSWER


def to_component(number: int, function: str) -> dict[str, Any]:
    """Write a request to a part of the page."""
    return {"data": 5, "component_id": number, "session_hash": "x", "fn_name": function}


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/gradio_api/call/nope", {"data": []}),
        ("POST", "/gradio_api/queue/join", {"data": [], "fn_index": 999, "session_hash": "x"}),
        ("POST", "/gradio_api/queue/join", {"data": []}),
        ("POST", "/gradio_api/component_server", to_component(4000, "part")),
        ("POST", "/gradio_api/component_server", to_component(1, "__init__")),
        ("POST", "/gradio_api/component_server", [1]),
        ("GET", "/nothing", None),
    ],
    ids=str,
)
def test_broken_requests_tell_nothing_of_the_inside(client: httpx.Client, method: str, path: str, body: Any) -> None:
    """Requests that no page sends end in an answer, too."""
    response = client.request(method, path, json=body)
    assert not INSIDE.search(response.text)
    assert len(response.text) < 500


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/gradio_api/process_recording"),
        ("GET", "/gradio_api/deep_link?session_hash=x"),
        ("POST", "/gradio_api/run/tag"),
        ("POST", "/gradio_api/api/tag"),
        ("POST", "/gradio_api/vibe-edit"),
        ("GET", "/gradio_api/vibe-code"),
        ("GET", "/gradio_api/custom_component/1/client/component/index.js"),
        ("GET", "/monitoring"),
        ("GET", "/monitoring/summary"),
        ("GET", "/docs"),
        ("GET", "/redoc"),
        ("GET", "/openapi.json"),
    ],
)
def test_what_the_app_does_not_need_is_shut(client: httpx.Client, method: str, path: str) -> None:
    """Routes of the web framework that write files, run programs or pass the queue by do not exist here."""
    files = {"video": ("x.mp4", b"123", "video/mp4")} if "recording" in path else None
    response = client.request(method, path, files=files, json=None if files else {"data": [TEXT, None, "auto", ""]})
    assert response.status_code in (403, 404)


@pytest.mark.parametrize(
    "text",
    [
        HOSTILE,
        f"Berlin {HOSTILE} Ada",
        "</textarea></div><img src=x onerror=alert(1)>",
        "\"><b onmouseover='alert(1)'>",
    ],
)
def test_a_visitors_text_never_becomes_markup(app: AppProcess, text: str) -> None:
    """In no part of the result, captions and alternative texts included, and neither in what is offered to save."""
    photo = next(example.photo for example in demo_examples() if example.photo)
    upload = UploadedPhoto(
        name='"><img src=x onerror=alert(1)>.jpg', mime_type="image/jpeg", content=photo.read_bytes()
    )
    shown = press_button(app, Question(number=0, text=text, photo=upload))
    pieces = [value for value in strings(shown) if "<" in value]
    assert any("wb-result" in piece for piece in pieces)
    assert [found for piece in pieces for found in active_content(piece)] == []


def strings(value: Any) -> list[str]:
    """Return every string in JSON."""
    if isinstance(value, str):
        return [value]
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [text for part in parts for text in strings(part)]


def test_the_log_holds_no_text_of_visitors(app: AppProcess, client: httpx.Client) -> None:
    """Neither what was tagged, nor what was wrong, nor the name of a file."""
    call(client, "tag", [f"{MARKER} in Berlin", None, "auto", ""])
    call(client, "tag", [f"{MARKER} in Berlin", None, MARKER, MARKER])
    call(client, "tag", [[MARKER], {MARKER: MARKER}, MARKER, MARKER])
    call(client, "tag", [MARKER, {"path": f"/{MARKER}", **FILE}, "auto", ""])
    call(client, "tag", [MARKER + "\ud800", None, "auto", ""])
    call(client, "tag", [MARKER])
    call(client, MARKER, [MARKER])
    upload(client, f"{MARKER}.jpg", MARKER.encode())
    body = {"data": {"part": MARKER}, "component_id": MARKER, "session_hash": "x", "fn_name": MARKER}
    client.post("/gradio_api/component_server", json=body)
    client.post("/gradio_api/queue/join", json={"data": [MARKER], "fn_index": 999, "session_hash": MARKER})
    client.get(f"/?example={MARKER}")
    assert MARKER not in app.log.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/config"),
        ("GET", "/gradio_api/info"),
        ("POST", "/gradio_api/call/tag"),
        ("POST", "/gradio_api/queue/join"),
        ("POST", "/gradio_api/upload"),
        ("POST", "/gradio_api/component_server"),
        ("GET", "/gradio_api/queue/data?session_hash=x"),
        ("GET", "/gradio_api/call/tag/0123456789abcdef"),
        ("GET", "/gradio_api/file=analysis/demo/photos"),
    ],
)
def test_nothing_is_served_without_the_login(guarded: AppProcess, method: str, path: str) -> None:
    """Where a login is set, every way to the model and to files asks for it; a wrong password is none."""
    with visitor(guarded.url, 30 + len(path)) as client:
        wrong = client.post("/login", data={"username": LOGIN[0], "password": "wrong"})
        assert wrong.status_code in (400, 401)
        assert client.request(method, path, json={"data": []} if method == "POST" else None).status_code == 401


def test_the_login_opens(guarded: AppProcess) -> None:
    """With the password the model answers."""
    with logged_in(guarded, 21) as client:
        fine, told = call(client, "tag", [TEXT, None, "auto", ""])
    assert fine
    assert json.loads(told)[0]["text"] == TEXT


def test_who_asks_too_fast_is_told_when_to_come_back(guarded: AppProcess) -> None:
    """One sentence and Retry-After; a header that claims another address changes nothing, another visitor is served."""
    with logged_in(guarded, 22) as client:
        claims = [{}, {"X-Forwarded-For": "10.0.0.1"}, {"X-Forwarded-For": "10.0.0.2"}]
        responses = [
            client.post("/gradio_api/call/models", json={"data": []}, headers=claims[i % 3]) for i in range(12)
        ]
    assert [r.status_code for r in responses] == [200] * 7 + [429] * 5
    assert sentence(responses[-1].text).startswith("You are asking faster")
    assert int(responses[-1].headers["retry-after"]) > 0
    with logged_in(guarded, 23) as other:
        assert call(other, "models", [])[0]


def test_a_full_queue_is_told_in_one_sentence(guarded: AppProcess) -> None:
    """Who finds no room is asked to come back; who was let in is answered."""
    text = "Ada Lovelace met Grace Hopper in Berlin. " * 200

    def ask(client: httpx.Client) -> httpx.Response:
        return client.post("/gradio_api/call/tag", json={"data": [text, None, "auto", ""]})

    with ExitStack() as opened, ThreadPoolExecutor(12) as threads:
        clients = [opened.enter_context(logged_in(guarded, 100 + i)) for i in range(12)]
        joined = list(threads.map(ask, clients))
        taken = [(c, r.json()["event_id"]) for c, r in zip(clients, joined, strict=True) if r.status_code == 200]
        answers = list(threads.map(lambda t: t[0].get(f"/gradio_api/call/tag/{t[1]}").text, taken))
    full = [response for response in joined if response.status_code != 200]
    assert full and taken
    assert {response.status_code for response in full} == {503}
    assert {sentence(response.text) for response in full} == {BUSY}
    assert all(int(response.headers["retry-after"]) > 0 for response in full)
    assert all("event: complete" in answer for answer in answers)


def test_nothing_is_left_after_a_stop(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Uploads are gone when the app ends."""
    with running_app(tiny_checkpoint, tmp_path) as process, visitor(process.url, 1) as client:
        (path,) = upload(client, "photo.jpg", b"1").json()
        assert os.path.isfile(path)
    assert [entry for entry in process.temporary.rglob("*") if entry.is_file()] == []

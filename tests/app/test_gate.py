"""What one visitor sends to the gate silences nobody: names, sizes and shapes that no page sends."""

from __future__ import annotations

import http.client
import json
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from tests.app.attacking import call, get_raw, sentence, upload, visitor
from tests.app.meanwhile import TEXT, another_visitor_is_served
from tests.load.app_process import AppProcess

pytestmark = pytest.mark.slow  # attacks an app of its own

API = "/gradio_api"
JSON = {"Content-Type": "application/json"}
MARKER = "Quellbrunnsoweit"  # a word that stands in no log for any other reason
CLICK = 3  # number of the function that draws a heat map
BAD_NAMES = {
    "empty": "",
    "a lone surrogate": "\ud800",
    "another among letters": f"{MARKER}\udfffx",
    "NUL": "a\0b",
    "a new line": f"{MARKER}\nINFO app: forged",
    "a space": "a b",
    "markup": "<b>",
    "a path": "../x",
    "another script": "ａｂｃ",
    "long": "a" * 65,
    "very long": "a" * 5000,
    "number": 5,
    "list": ["a"],
    "object": {"a": 1},
    "true": True,
}


def post(client: httpx.Client, path: str, body: Any) -> httpx.Response:
    """Send JSON, also such as httpx would not write; or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body)
    return client.post(API + path, content=content, headers=JSON)


def join(**changed: Any) -> dict[str, Any]:
    """Write what the page sends for a click on a name, but for some fields."""
    return {"data": [None] * 7, "session_hash": "abc", "fn_index": CLICK, "event_data": {"entity": 0}, **changed}


def is_told(response: httpx.Response, status: int) -> bool:
    """Say whether an answer has a status and one sentence."""
    told = sentence(response.text)
    return response.status_code == status and told.endswith(".") and ". " not in told


@pytest.mark.parametrize("name", BAD_NAMES.values(), ids=BAD_NAMES)
def test_a_name_that_no_page_gives_is_refused(client: httpx.Client, app: AppProcess, name: Any) -> None:
    """Sessions, events and functions, in every body that has one; and nothing of it is logged."""
    cancel = {"session_hash": "abc", "fn_index": CLICK, "event_id": "abc"}
    part = {"data": {}, "component_id": 40, "fn_name": "part", "session_hash": "abc"}
    bodies = [
        ("/queue/join", join(session_hash=name)),
        ("/call/tag", {"data": [TEXT], "session_hash": name}),
        ("/cancel", cancel | {"session_hash": name}),
        ("/cancel", cancel | {"event_id": name}),
        ("/reset", {"event_id": name}),
        ("/component_server", part | {"session_hash": name}),
        ("/component_server", part | {"fn_name": name}),
    ]
    assert [path for path, body in bodies if not is_told(post(client, path, body), 400)] == []
    assert MARKER not in app.log.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["", "%ED%A0%80", "a%00b", "a%20b", "..", "%2e%2e%2f", "a" * 65, f"{MARKER}%0Ax"])
def test_a_name_in_an_address_is_refused(app: AppProcess, name: str) -> None:
    """As a parameter and as a part of the path."""
    for path in (
        f"/queue/data?session_hash={name}",
        f"/queue/data?session_hash=abc&session_hash={name}",
        f"/upload_progress?upload_id={name}",
        f"/heartbeat/{name}",
        f"/call/tag/{name}",
    ):
        status, body = get_raw(app.url, API + path)
        assert status in (400, 404, 405) and sentence(body.decode()).endswith(".")
    assert MARKER not in app.log.read_text(encoding="utf-8")


def test_an_upload_under_a_name_that_no_page_gives_is_refused(client: httpx.Client) -> None:
    """Since its progress would be kept under it."""
    for name in ("", "a b", "%ED%A0%80", "a" * 65):
        response = client.post(f"{API}/upload?upload_id={name}", files={"files": ("a.jpg", b"1")})
        assert is_told(response, 400)


@pytest.mark.parametrize(
    "changed",
    [
        {"fn_index": value}
        for value in (-1, 999, 2**70, 1.5, "3", None, True, [3])
    ]
    + [{"trigger_id": value} for value in (-1, "x", 2**70, {}, True)]
    + [{"data": value} for value in (None, "x", {}, 5)]
    + [{"batched": True}, {"simple_format": True}, {"event_id": "abc"}, {"request": {}}, {"\ud800": 1}],
    ids=str,
)  # fmt: skip
def test_other_fields_are_what_the_page_sends(client: httpx.Client, changed: dict[str, Any]) -> None:
    """Numbers that the page has, values in a list, and nothing that is meant for the inside."""
    response = post(client, "/queue/join", join(**changed))
    assert is_told(response, 404 if changed == {"fn_index": 999} else 400)


def test_events_without_a_session_leave_the_queue_alive(app: AppProcess) -> None:
    """Many at once once ended the loop that starts every visitor's requests."""

    def strike(client: httpx.Client) -> int:
        return post(client, "/queue/join", join(session_hash="")).status_code

    with ExitStack() as opened, another_visitor_is_served(app.url), ThreadPoolExecutor(12) as threads:
        clients = [opened.enter_context(visitor(app.url, 10 + i)) for i in range(12)]
        statuses = Counter(threads.map(strike, clients * 6))
    assert statuses == {400: 72}
    with visitor(app.url, 30) as client:
        assert call(client, "tag", [TEXT])[0]
        assert client.get("/health").json() == {"status": "ok"}


def test_a_session_name_that_cannot_be_written_spoils_no_statistics(app: AppProcess, client: httpx.Client) -> None:
    """One once made every later request of everybody fail inside, with visitors' words in the log."""
    for _ in range(3):
        body = join(session_hash="\ud800x", data=[f"{MARKER} in Berlin"])
        assert post(client, "/queue/join", body).status_code == 400
    assert call(client, "tag", [f"{MARKER} and \ud800 in Berlin"])[0]  # in a text it is a character like others
    written = app.log.read_text(encoding="utf-8")
    assert MARKER not in written and "Traceback" not in written and "ERROR" not in written


@pytest.mark.parametrize(
    "name", ["upload", "tag/upload", "nope", "__init__", "show", "pick", "tag%00", "TAG", "v2/tag"]
)
def test_an_unknown_name_is_refused_before_it_is_read(app: AppProcess, name: str) -> None:
    """Of what is announced not a byte is waited for; names of the page's own functions are no names for programs."""
    connection = http.client.HTTPConnection("127.0.0.1", app.port, timeout=30)
    try:
        connection.putrequest("POST", f"{API}/call/{name}")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", "30000000")
        connection.endheaders(b'{"data":')  # the rest never comes
        response = connection.getresponse()
        assert response.status in (404, 405) and len(response.read()) < 200
    finally:
        connection.close()


def nested(depth: int, size: int) -> bytes:
    """Write lists in lists, again and again."""
    one = b"[" * depth + b"]" * depth
    return b"[" + b",".join([one] * (size // (len(one) + 1))) + b"]"


HEAVY = {
    "100 deep": nested(100, 7_800_000),
    "20 deep": nested(18, 7_800_000),
    "flat": b"[" + b"[]," * 2_500_000 + b"[]]",
    "numbers": b"[" + b"1," * 3_800_000 + b"1]",
    "empty texts": b"[" + b'"",' * 2_500_000 + b'""]',
    "keys": b"[{" + b",".join(b'"%d":1' % i for i in range(700_000)) + b"}]",
    "one bracket after another": b"[" * 7_800_000,
    "a long number": b"[" + b"9" * 7_800_000 + b"]",
    "a text of escapes": b'["' + b"\\u00e9" * 1_300_000 + b'"]',
    "a text of brackets": b'["' + b"[{," * 2_600_000 + b'"]',
    "quotes": b'["' + b'\\"' * 3_900_000 + b'"]',
    "spaces": b"[" + b" " * 7_800_000 + b"]",
    "no JSON": b"\xff" * 7_800_000,
    "what is let through": b"[[" + b",".join([b'{"text":"' + b"x" * 100_000 + b'"}'] * 64) + b"]]",
}


@pytest.mark.parametrize("route", ["call/tag_batch", "queue/join"])
@pytest.mark.parametrize("kind", HEAVY)
def test_reading_big_json_keeps_nobody_waiting(app: AppProcess, kind: str, route: str) -> None:
    """Eight megabytes of whatever kind, twice at once: refused in one sentence or answered, while another asks."""
    rest = b"" if route.startswith("call") else b',"session_hash":"abc","fn_index":9'
    body = b'{"data":' + HEAVY[kind] + rest + b"}"

    def strike(number: int) -> httpx.Response:
        with visitor(app.url, number) as client:
            return post(client, f"/{route}", body)

    with another_visitor_is_served(app.url), ThreadPoolExecutor(2) as threads:
        responses = list(threads.map(strike, (50, 51)))
    assert all(response.status_code == 200 or is_told(response, 400) for response in responses)


@pytest.mark.parametrize(
    ("path", "size"),
    [
        ("/call/tag", 1_000_000),
        ("/call/heat_map", 1_000_000),
        ("/call/models", 1_000_000),
        ("/call/tag_batch", 9_000_000),
        ("/queue/join", 9_000_000),
        ("/component_server", 200_000),
        ("/cancel", 20_000),
        ("/reset", 20_000),
        ("/upload", 2_300_000),
    ],
)
def test_each_route_takes_no_more_than_it_needs(client: httpx.Client, path: str, size: int) -> None:
    """Announced or not."""
    headers = JSON if path != "/upload" else {"Content-Type": "multipart/form-data; boundary=x"}
    announced = client.post(API + path, content=b" " * size, headers=headers)
    pieces = client.post(API + path, content=iter([b" " * (size // 10)] * 10), headers=headers)
    assert is_told(announced, 413)
    assert is_told(pieces, 411 if path == "/upload" else 413)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"x", b"[]", b'"x"', b"5", b"null", b"{", b'{"data": [1}', b"\xff", b'{"data": [NaN]}',
        b'{"data": [1e999]}',
        '{"data": []}'.encode("utf-16"), b'{"data"', b"{}", b'{"data": {}}', b'{"data": [' + b"9" * 5000 + b"]}",
    ],
    ids=lambda body: repr(body[:20]),
)  # fmt: skip
def test_what_is_no_json_object_is_told_in_one_sentence(client: httpx.Client, body: bytes) -> None:
    """Wherever JSON is expected."""
    for path in ("/call/tag", "/queue/join", "/component_server", "/cancel", "/reset"):
        assert is_told(post(client, path, body), 400)


def test_json_says_that_it_is(client: httpx.Client) -> None:
    """A page of another site can send a form or a text without asking first, but no JSON."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        response = client.post(f"{API}/call/tag", content=b'{"data": ["x"]}', headers={"Content-Type": kind})
        assert is_told(response, 415)


RANGES = [
    "bytes=abc",
    "bytes=5-2",
    "bytes=1-2-3",
    "bytes=0-3",
    "bytes=-5",
    "bytes=0-0,2-3",
    "bytes=",
    "bytes=\xb2-\xb3",
    "x",
    "",
]


@pytest.mark.parametrize("value", RANGES)
def test_odd_ranges_get_the_file_and_nothing_of_the_request(client: httpx.Client, value: str) -> None:
    """Of photos and of the page's own files; no answer holds a header of the request, cookies least of all."""
    (path,) = upload(client, "a.jpg", b"0123456789").json()
    for address in (f"{API}/file={path}", "/static/img/logo_nosize.svg"):
        headers = {"Range": value.encode("latin-1"), "Cookie": f"secret={MARKER}", "X-Mine": MARKER}
        response = client.get(address, headers={**headers, "Accept-Encoding": "identity"})
        assert response.status_code in (200, 206)
        assert MARKER not in str(response.headers) + response.text
        if path in address:
            expected = {"bytes=0-3": b"0123", "bytes=-5": b"56789"}.get(value, b"0123456789")
            assert response.content == expected
    beyond = client.get(f"{API}/file={path}", headers={"Range": "bytes=99-", "Cookie": "a=b"})
    assert is_told(beyond, 416)


def form(*parts: str) -> bytes:
    """Write a form by hand."""
    return "".join(f"--x\r\n{part}\r\n" for part in parts).encode() + b"--x--\r\n"


FORMS = {
    "without a name": form('Content-Disposition: form-data; filename="a.jpg"\r\n\r\n1'),
    "without a file name": form('Content-Disposition: form-data; name="files"\r\n\r\n1'),
    "without headers": form("\r\n\r\n1"),
    "without an end": form('Content-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n1')[:-6],
    "no form": b"0123456789",
    "an odd header": form('Content-Disposition: \x01;;;=;"\r\n\r\n1'),
}


@pytest.mark.parametrize("progress", ["", "?upload_id=abc"])
@pytest.mark.parametrize("kind", FORMS)
def test_odd_forms_are_told_in_one_sentence(client: httpx.Client, app: AppProcess, kind: str, progress: str) -> None:
    """And leave no trace of an error in the log."""
    before = app.log.read_text(encoding="utf-8").count("ERROR")
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = client.post(f"{API}/upload{progress}", content=FORMS[kind], headers=headers)
    assert response.status_code == 400 or response.json() == []
    assert "Traceback" not in response.text
    assert app.log.read_text(encoding="utf-8").count("ERROR") == before


def test_programs_and_pages_are_served_as_ever(client: httpx.Client) -> None:
    """Without a session, with one as programs make them, and with a batch of as many items as are taken."""
    assert call(client, "tag", [TEXT])[0]
    session = str(uuid.uuid4())
    joined = post(client, "/call/tag", {"data": [TEXT], "session_hash": session})
    assert "event: complete" in client.get(f"{API}/call/tag/{joined.json()['event_id']}").text
    joined = post(client, "/queue/join", {"data": [], "fn_index": 11, "session_hash": session})
    assert joined.status_code == 200
    assert "process_completed" in client.get(f"{API}/queue/data?session_hash={session}").text
    items = [{"text": "é" * 30, "image": None, "language": "auto", "convention": ""} for _ in range(64)]
    fine, told = call(client, "tag_batch", [items])
    assert fine and len(json.loads(told)[0]) == 64

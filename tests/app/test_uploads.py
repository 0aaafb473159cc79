"""One visitor's uploads leave room for others', failed ones leave nothing, and no other process touches them."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from mmner_core.serving.upload_gate import DISK_FULL
from tests.app.attacking import sentence, upload, visitor
from tests.app.bystander import bystander
from tests.hostile.disks import full_disk
from tests.load.app_process import REPOSITORY, AppProcess, free_port, running_app

pytestmark = pytest.mark.slow  # attacks an app of its own

MEGABYTE = 1_000_000
FORM = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\n\r\n'
ROOM = ["--upload-space-mb", "40", "--upload-share-mb", "4", "--visitor-burst", "1000"]


@pytest.fixture(scope="module")
def app(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """Serve the app with little room for uploads."""
    with running_app(tiny_checkpoint, tmp_path_factory.mktemp("app"), *ROOM) as process:
        yield process


def begin_upload(app: AppProcess, number: int, *headers: str, body: bytes = b"") -> socket.socket:
    """Send a request's head and perhaps the beginning of its body."""
    line = socket.create_connection(("127.0.0.1", app.port), timeout=20, source_address=(f"127.0.2.{number}", 0))
    head = ["POST /gradio_api/upload HTTP/1.1", f"Host: 127.0.0.1:{app.port}", "Connection: close"]
    head += ["Content-Type: multipart/form-data; boundary=x", *headers]
    line.sendall("\r\n".join([*head, "", ""]).encode() + body)
    return line


def files(app: AppProcess) -> set[Path]:
    """Return every file below the folder for temporary ones."""
    return {path for path in app.temporary.rglob("*") if path.is_file()}


def wait_until_gone(app: AppProcess, before: set[Path], seconds: float = 5.0) -> None:
    """Wait for new files to be removed; whoever hung up is noticed a moment later."""
    end = time.monotonic() + seconds
    while files(app) - before and time.monotonic() < end:
        time.sleep(0.05)
    assert files(app) - before == set()


def test_one_visitor_has_a_share_of_the_room(app: AppProcess) -> None:
    """When it is used up they are told until when; another uploads on."""
    with bystander(app.url, 200), visitor(app.url, 1) as greedy, visitor(app.url, 2) as other:
        answers = [upload(greedy, f"{i}.jpg", os.urandom(MEGABYTE)) for i in range(8)]
        assert [answer.status_code for answer in answers] == [200] * 3 + [429] * 5
        assert "all the room that one visitor may have (4 MB)" in sentence(answers[-1].text)
        assert int(answers[-1].headers["retry-after"]) > 60
        assert upload(other, "photo.jpg", os.urandom(MEGABYTE)).status_code == 200


def test_a_request_with_two_lengths_is_refused(app: AppProcess) -> None:
    """One that says 10 bytes and sends without end writes nothing."""
    before = files(app)
    with bystander(app.url, 201):
        line = begin_upload(app, 3, "Content-Length: 10", "Transfer-Encoding: chunked")
        with line:
            assert line.recv(100).startswith(b"HTTP/1.1 400")
    wait_until_gone(app, before)


def test_a_promise_takes_no_room(app: AppProcess) -> None:
    """Requests that announce much and send nothing, from many addresses, do not keep another's photo out."""
    with bystander(app.url, 202), ExitStack() as lines, visitor(app.url, 4) as other:
        for number in range(10, 22):
            for _ in range(5):
                lines.enter_context(begin_upload(app, number, "Content-Length: 3000000"))
        time.sleep(0.5)
        assert upload(other, "photo.jpg", os.urandom(MEGABYTE)).status_code == 200


def test_an_upload_that_breaks_off_leaves_neither_file_nor_debt(app: AppProcess) -> None:
    """Ten halves of photos, each bigger than a third of the share, and still the whole one fits."""
    before = files(app)
    with bystander(app.url, 203):
        for _ in range(10):
            line = begin_upload(app, 5, "Content-Length: 3000000", body=FORM + bytes(1_500_000))
            time.sleep(0.1)
            line.close()
            wait_until_gone(app, before)
        with visitor(app.url, 5) as client:
            assert upload(client, "photo.jpg", os.urandom(3 * MEGABYTE)).status_code == 200


def test_a_form_that_is_no_upload_leaves_nothing(app: AppProcess) -> None:
    """Files under another name than uploads have, or sent to another part of the app."""
    before = files(app)
    with visitor(app.url, 6) as client:
        for path in ("/gradio_api/upload", "/gradio_api/component_server"):
            client.post(path, files={"other": ("a.jpg", bytes(100_000))})
    wait_until_gone(app, before)


def test_a_form_of_many_files_is_refused(app: AppProcess) -> None:
    """Nine hundred empty files for the price of one request would keep the disk and everybody busy."""
    before = files(app)
    many = [("files", (f"{i}.jpg", b"1")) for i in range(900)]
    with bystander(app.url, 205), visitor(app.url, 19) as client:
        response = client.post("/gradio_api/upload", files=many)
    assert response.status_code == 400
    assert "Too many files" in response.text
    wait_until_gone(app, before)


def test_a_second_app_leaves_the_first_ones_uploads_alone(app: AppProcess, tiny_checkpoint: Path) -> None:
    """On the same folder for temporary files, when it starts and when it stops; and all of both is private."""
    with visitor(app.url, 7) as client:
        (path,) = upload(client, "photo.jpg", b"1").json()
    with running_app(tiny_checkpoint, app.temporary.parent) as second, visitor(second.url, 7) as client:
        (other,) = upload(client, "photo.jpg", b"2").json()
        assert Path(path).is_file() and Path(other).is_file()
        inside = [entry for entry in app.temporary.rglob("*") if entry.exists()]
        assert [entry for entry in inside if entry.stat().st_mode & 0o077] == []
    assert Path(path).is_file() and not Path(other).exists()


def test_a_full_disk_is_told_and_freed(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """507 and one sentence; what was written of the photo is gone at once, and a smaller one fits."""
    with full_disk(tmp_path / "tmp", 4 * MEGABYTE), running_app(tiny_checkpoint, tmp_path) as app:
        with bystander(app.url, 204), visitor(app.url, 8) as client:
            for _ in range(3):
                answer = upload(client, "photo.jpg", os.urandom(8 * MEGABYTE))
                assert (answer.status_code, sentence(answer.text)) == (507, DISK_FULL)
                wait_until_gone(app, set())
            assert upload(client, "photo.jpg", os.urandom(2 * MEGABYTE)).status_code == 200
        assert "Traceback" not in app.log.read_text()


@pytest.mark.parametrize("name", [signal.SIGHUP, signal.SIGINT])
def test_uploads_go_with_whatever_ends_the_app(tiny_checkpoint: Path, tmp_path: Path, name: signal.Signals) -> None:
    """A terminal that is closed, Ctrl-C."""
    with running_app(tiny_checkpoint, tmp_path) as app, visitor(app.url, 1) as client:
        upload(client, "photo.jpg", b"1").raise_for_status()
        os.kill(app.pid, name)
        end = time.monotonic() + 20
        while files(app) and time.monotonic() < end:
            time.sleep(0.1)
        assert files(app) == set()


@pytest.mark.parametrize("heard", ["", "loading model", "Open http"])
def test_a_stop_at_any_time_ends_it_in_order(tiny_checkpoint: Path, tmp_path: Path, heard: str) -> None:
    """At once, while the model is loaded, when all is ready: no abort, no trace of an error, no folder left."""
    command = [sys.executable, "-u", "app.py", "--checkpoint", str(tiny_checkpoint), "--port", str(free_port())]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = subprocess.Popen(command, cwd=REPOSITORY, env=environment, stderr=subprocess.PIPE, text=True)
    assert process.stderr
    told = ""
    while heard and heard not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    process.terminate()
    told += process.communicate(timeout=60)[1]
    assert process.returncode == (0 if heard else -signal.SIGTERM)
    assert not any(word in told for word in ("Traceback", "Fatal", "terminate called", "core dumped"))
    assert list(tmp_path.glob("mmner-*")) == []


@pytest.mark.parametrize(
    ("host", "address", "told"),
    [("::1", "[::1]", "[::1]"), ("::", "[::1]", "[::]"), ("127.0.2.9", "127.0.2.9", "127.0.2.9")],
)
def test_it_listens_where_it_is_told_to(
    tiny_checkpoint: Path, tmp_path: Path, host: str, address: str, told: str
) -> None:
    """Also at addresses of version 6."""
    app = AppProcess(tiny_checkpoint, tmp_path, ("--host", host))
    app.url = f"http://{address}:{app.port}"
    try:
        app.start()  # it waits for the first page
    finally:
        app.stop()
    assert f"Open {app.url.replace(address, told)}/" in app.log.read_text()


def test_no_temporary_folder_is_told_in_one_sentence(tiny_checkpoint: Path, tmp_path: Path) -> None:
    """Before anything is loaded."""
    command = [sys.executable, "app.py", "--checkpoint", str(tiny_checkpoint), "--port", str(free_port())]
    environment = {**os.environ, "TMPDIR": str(tmp_path / "nothing")}
    result = subprocess.run(command, cwd=REPOSITORY, env=environment, capture_output=True, text=True, timeout=120)
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "TMPDIR" in result.stderr

"""Photos from the web: only from public servers, wherever they send on to, so many bytes in so many seconds."""

from __future__ import annotations

import asyncio
import ipaddress
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from mmner_core.errors import InputError
from mmner_core.serving.fetch import Address, Fetcher, is_public
from tests.told import refused

PHOTO = b"\xff\xd8 a photo"
HERE = ipaddress.ip_address("127.0.0.1")


class Server(ThreadingHTTPServer):
    """A web server of ours."""

    daemon_threads = True

    def __init__(self, certificate: Path | None = None) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.asked: list[str] = []
        self.names: list[str | None] = []  # that TLS asked for
        self.done = threading.Event()
        if certificate is not None:
            context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
            context.load_cert_chain(certificate, certificate.with_suffix(".key"))
            context.sni_callback = lambda connection, name, _: self.names.append(name)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def url(self, path: str) -> str:
        """Return an address on it."""
        return f"http://127.0.0.1:{self.server_port}{path}"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of those who hung up."""


class Handler(BaseHTTPRequestHandler):
    """Answers by the path: the photo, an endless one, one that never comes, a redirect."""

    server: Server

    def do_GET(self) -> None:  # noqa: N802 (http.server's name for it)
        """Answer."""
        self.server.asked.append(self.path)
        kind, _, target = self.path.removeprefix("/").partition("?")
        if kind == "slow":
            self.server.done.wait(10)
            return
        self.send_response({"to": 302, "gone": 404}.get(kind, 200))
        if kind == "to":
            self.send_header("Location", target)
        if kind == "packed":
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        try:
            while kind == "endless":
                self.wfile.write(bytes(10_000))
            self.wfile.write(PHOTO)
        except OSError:
            return

    def log_message(self, *values: object) -> None:
        """Say nothing."""


@pytest.fixture
def server() -> Iterator[Server]:
    """Listen on this machine."""
    with Server() as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield listening
        listening.done.set()
        listening.shutdown()


def certificate_for(name: str, folder: Path) -> Path:
    """Make a certificate that is its own authority, with its key beside it."""
    file = folder / f"{name}.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    command += ["-days", "2", "-subj", f"/CN={name}", "-addext", f"subjectAltName=DNS:{name}"]
    subprocess.run([*command, "-keyout", file.with_suffix(".key"), "-out", file], check=True, capture_output=True)
    return file


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a certificate of photos.example."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl to make certificates with: apt-get install openssl")
    return certificate_for("photos.example", tmp_path_factory.mktemp("tls"))


@pytest.fixture
def secure(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    """Listen on this machine with TLS, under every name that ends in .example."""
    look_up = socket.getaddrinfo

    def found(host: Any, *rest: Any, **options: Any) -> Any:
        named = isinstance(host, str) and host.endswith(".example")
        return look_up("127.0.0.1" if named else host, *rest, **options)

    monkeypatch.setattr(socket, "getaddrinfo", found)
    with Server(certificate) as listening:
        threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True).start()
        yield listening
        listening.shutdown()


def only_here(address: Address) -> bool:
    """Allow the test's own server."""
    return address == HERE


def fetch(folder: Path, *urls: str, **options: Any) -> list[bytes]:
    """Fetch what is at addresses; return the files."""
    records = [{"path": url, "meta": {"_type": "gradio.FileData"}} for url in urls]
    fetcher = Fetcher(**{"max_bytes": 1000, "seconds": 5.0, "allowed": only_here} | options)
    asyncio.run(fetcher.replace_addresses(["text", [{"image": record} for record in records]], folder))
    return [Path(record["path"]).read_bytes() for record in records]  # type: ignore[arg-type]


def test_a_photo_is_fetched(server: Server, tmp_path: Path) -> None:
    """Each into a file of its own below the folder, redirects followed, and as it was sent: nothing is unpacked."""
    urls = [server.url(path) for path in ("/photo", "/photo", f"/to?{server.url('/photo')}", "/to?/photo", "/packed")]
    assert fetch(tmp_path, *urls) == [PHOTO] * 5
    assert len([file for file in tmp_path.rglob("*") if file.is_file()]) == 5


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/endless", "0.001 MB"),
        ("/slow", "0.2 s"),
        ("/gone", "status 404"),
        ("/to?" * 5 + "/photo", "too many redirects"),
        ("/to?ftp://127.0.0.1/photo", "no http or https"),
        ("/to?file:///etc/passwd", "no http or https"),
        ("/to?http://[", "none that makes sense"),
    ],
)
def test_what_is_no_photo_of_the_size_allowed_is_told(server: Server, tmp_path: Path, path: str, told: str) -> None:
    """In one sentence, and nothing is kept."""
    with pytest.raises(InputError, match=told):
        fetch(tmp_path, server.url(path), seconds=0.2 if path == "/slow" else 5.0)
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_photos_of_a_request_share_the_size(server: Server, tmp_path: Path) -> None:
    """However many addresses it names."""
    with pytest.raises(InputError, match="too big"):
        fetch(tmp_path, *[server.url("/photo")] * 3, max_bytes=2 * len(PHOTO))


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "0.0.0.0", "[::ffff:127.0.0.1]"])
def test_nobody_is_sent_to_this_machine(server: Server, tmp_path: Path, host: str) -> None:
    """However it is written, nothing is asked."""
    with pytest.raises(InputError, match="leads into a private network"):
        fetch(tmp_path, f"http://{host}:{server.server_port}/photo", allowed=is_public)
    assert server.asked == []


@pytest.mark.parametrize("target", ["http://169.254.169.254/latest", "//10.0.0.1/", "http://127.0.0.2:{port}/photo"])
def test_a_redirect_is_checked_as_the_first_address(server: Server, tmp_path: Path, target: str) -> None:
    """A public server cannot send on to a private one."""
    target = target.format(port=server.server_port)
    with pytest.raises(InputError, match="leads into a private network"):
        fetch(tmp_path, server.url(f"/to?{target}"))
    assert server.asked == [f"/to?{target}"]


@pytest.mark.parametrize(
    "address",
    "0.0.0.0 10.1.2.3 100.64.0.1 127.0.0.1 169.254.169.254 172.16.0.1 192.168.1.1 224.0.0.1 240.0.0.1 255.255.255.255 "
    ":: ::1 fe80::1 fc00::1 ff02::1 ::ffff:10.0.0.1 2002:7f00:1:: 64:ff9b::7f00:1".split(),
)
def test_addresses_that_are_not_of_the_open_internet(address: str) -> None:
    """Loopback, private, link-local, shared, multicast, and such in the guise of IPv6."""
    assert not is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", ["93.184.215.14", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"])
def test_addresses_of_the_open_internet(address: str) -> None:
    """Those may be asked."""
    assert is_public(ipaddress.ip_address(address))


def test_a_photo_comes_over_tls(
    secure: Server, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though a checked address is asked, TLS is told the name, and the certificate is that of the name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert fetch(tmp_path, f"https://photos.example:{secure.server_port}/photo") == [PHOTO]
    assert secure.names == ["photos.example"]


@pytest.mark.parametrize("host", ["photos.example", "other.example", "127.0.0.1"])
def test_a_certificate_that_does_not_verify_is_refused(
    secure: Server, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """One of an unknown authority, and one of a known authority for another name or for the address asked."""
    if host == "photos.example":
        monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    else:
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with refused("certificate"):
        fetch(tmp_path, f"https://{host}:{secure.server_port}/photo")
    assert secure.asked == []
    assert [file for file in tmp_path.rglob("*") if file.is_file()] == []


def test_tls_opens_no_way_into_a_private_network(
    secure: Server, certificate: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name with a good certificate that stands for a private address is refused before anything is asked."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with pytest.raises(InputError, match="leads into a private network"):
        fetch(tmp_path, f"https://photos.example:{secure.server_port}/photo", allowed=is_public)
    assert secure.names == []

"""Who may ask the app from a browser: its own pages, under names that are its own, and sites that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.app.attacking import call, sentence, visitor
from tests.app.meanwhile import TEXT
from tests.load.app_process import AppProcess, running_app

pytestmark = pytest.mark.slow  # attacks an app of its own

LOGIN = {"username": "ada", "password": "correct horse"}
EVIL = "https://evil.example"
FRIEND = "https://friend.example"
NAME = "names.example"
JOIN = "/gradio_api/call/tag"


@pytest.fixture(scope="module")
def app(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """Serve the app with a login, a name of its own and a site that may ask it."""
    options = ["--login", ":".join(LOGIN.values()), "--visitor-rate", "0"]
    options += ["--allowed-origins", FRIEND, "--allowed-hosts", NAME]
    with running_app(tiny_checkpoint, tmp_path_factory.mktemp("app"), *options) as process:
        yield process


@pytest.fixture
def client(app: AppProcess) -> Iterator[httpx.Client]:
    """Be a visitor who is logged in."""
    with visitor(app.url, 1) as opened:
        opened.post("/login", data=LOGIN).raise_for_status()
        yield opened


def cookies(response: httpx.Response) -> list[str]:
    """Return what an answer has the browser keep, in small letters."""
    return [cookie.lower() for cookie in response.headers.get_list("set-cookie")]


@pytest.mark.parametrize(
    "origin", [EVIL, "null", "http://127.0.0.1:1", "http://localhost", "http://127.0.0.1.evil.example", "x"]
)
@pytest.mark.parametrize("path", ["/gradio_api/token", "/config", "/", "/gradio_api/info", "/gradio_api/call/tag/x"])
def test_another_sites_page_reads_nothing(client: httpx.Client, path: str, origin: str) -> None:
    """Not even whether there is anything: no answer lets it, with cookies or without."""
    for method in ("GET", "POST", "OPTIONS"):
        response = client.request(method, path, headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
        assert response.status_code == 403
        assert not [name for name in response.headers if name.startswith("access-control")]


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": EVIL},
        {"Origin": "null"},
        {"Referer": f"{EVIL}/page"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
    ids=str,
)
def test_another_sites_page_asks_nothing(client: httpx.Client, headers: dict[str, str]) -> None:
    """Questions, uploads, logins and logouts need a page of the app's own, or a program."""
    for path in (JOIN, "/gradio_api/queue/join", "/gradio_api/upload", "/gradio_api/cancel", "/login", "/logout"):
        response = client.post(path, json={"data": [TEXT]}, headers=headers)
        assert response.status_code == 403
        assert sentence(response.text).startswith("Pages of another site")


@pytest.mark.parametrize(
    ("host", "headers"),
    [
        (NAME, {"Origin": f"https://{NAME}", "Sec-Fetch-Site": "same-origin"}),
        (f"{NAME}:8443", {"Origin": f"https://{NAME}:8443"}),
        ("LOCALHOST:7860", {"Origin": "http://localhost:7860"}),
        ("[::1]:7860", {"Referer": "http://[::1]:7860/?tab=errors"}),
        ("127.0.0.1:7860", {"Origin": f"https://{NAME}", "X-Forwarded-Host": NAME}),
        ("127.0.0.1:7860", {"Sec-Fetch-Site": "none"}),
        ("127.0.0.1:7860", {}),
    ],
    ids=str,
)
def test_its_own_pages_and_programs_ask(client: httpx.Client, host: str, headers: dict[str, str]) -> None:
    """Under every name that is the app's, also behind a proxy."""
    cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    response = client.post(JOIN, json={"data": [TEXT]}, headers={"Host": host, "Cookie": cookie, **headers})
    assert response.status_code == 200
    assert "access-control-allow-origin" not in response.headers


def test_a_site_that_the_settings_name_asks_and_reads(client: httpx.Client) -> None:
    """And is told so when its browser asks first."""
    first = client.options(JOIN, headers={"Origin": FRIEND, "Access-Control-Request-Method": "POST"})
    assert first.status_code == 204
    assert "POST" in first.headers["access-control-allow-methods"]
    for response in (first, client.post(JOIN, json={"data": [TEXT]}, headers={"Origin": FRIEND})):
        assert response.is_success
        assert response.headers.get_list("access-control-allow-origin") == [FRIEND]
        assert response.headers["vary"].split(", ").count("Origin") == 1


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:7860", "127.0.0.1.evil.example", "localhost.evil.example", "192.0.2.1", "",
     "a@127.0.0.1", "127.0.0.1:x", "127.0.0.1/x", "names.example.evil"],
)  # fmt: skip
def test_other_names_are_not_answered_to(client: httpx.Client, host: str) -> None:
    """A name that leads here by another's doing (DNS rebinding) makes its pages no pages of ours."""
    for path in ("/", "/config", "/gradio_api/info", "/gradio_api/token"):
        response = client.get(path, headers={"Host": host, "X-Forwarded-Host": NAME})
        assert response.status_code == 400
        assert host == "" or host not in response.text
    assert client.get("/health", headers={"Host": host or "x"}).json() == {"status": "ok"}


@pytest.mark.parametrize("header", ["Host", "X-Forwarded-Host", "X-Gradio-Server", "X-Forwarded-Proto"])
def test_one_visitors_name_for_the_server_is_not_told_to_others(client: httpx.Client, header: str) -> None:
    """Each is told the address under which they asked, whoever asked before."""
    said = {"Host": NAME, "X-Forwarded-Host": NAME, "X-Gradio-Server": EVIL, "X-Forwarded-Proto": "https"}[header]
    for path in ("/config", "/gradio_api/info", "/gradio_api/info?all_endpoints=True", "/"):
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
        client.get(path, headers={header: said, "Cookie": cookie}).raise_for_status()
        plain = client.get(path, headers={"Cookie": cookie}).text
        assert NAME not in plain and EVIL not in plain and "https://127.0.0.1" not in plain


def test_the_session_cookie_stays_at_home(app: AppProcess) -> None:
    """No script reads it, no other site sends it; behind TLS it goes over nothing else."""
    with visitor(app.url, 2) as client:
        plain = cookies(client.post("/login", data=LOGIN))
        encrypted = cookies(client.post("/login", data=LOGIN, headers={"X-Forwarded-Proto": "https"}))
    assert plain and encrypted
    for cookie in (*plain, *encrypted):
        assert "httponly" in cookie and "samesite=lax" in cookie and "samesite=none" not in cookie
    assert not any("secure" in cookie.split(";", 1)[1] for cookie in plain)
    # The address is not that of a proxy which is trusted, so its word does not count.
    assert encrypted and not any("; secure" in cookie for cookie in encrypted)


def test_behind_tls_the_cookie_is_for_tls(app: AppProcess) -> None:
    """Which the proxy says that stands before the app, by default on this machine."""
    with httpx.Client(base_url=app.url) as proxy:
        kept = cookies(proxy.post("/login", data=LOGIN, headers={"X-Forwarded-Proto": "https"}))
    assert kept and all("; secure" in cookie for cookie in kept)


def test_the_token_is_told_to_nobody(client: httpx.Client) -> None:
    """The page has no need of it."""
    for path in ("/gradio_api/token", "/gradio_api/token/", "/gradio_api/user", "/gradio_api/login_check"):
        assert client.get(path).status_code == 404


def test_a_link_logs_nobody_out(client: httpx.Client) -> None:
    """A button of the page does, and only this visitor."""
    with visitor(str(client.base_url), 3) as other:
        other.post("/login", data=LOGIN).raise_for_status()
        assert client.get("/logout").status_code == 405
        assert call(client, "models", [])[0]
        assert r"action=\"logout\"" in client.get("/config").text
        assert client.post("/logout").status_code == 302
        assert client.post(JOIN, json={"data": [TEXT]}).status_code == 401
        assert call(other, "models", [])[0]

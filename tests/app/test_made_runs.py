"""Runs made over HTTP: as the page asks, as programs do, and as those do who should not."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file

from analysis.run.folder import EvaluationRun
from tests.app.attacking import FILE, visitor
from tests.app.made_runs import RunsPage, write_news
from tests.app.serving import serving
from tests.load.app_process import AppProcess, running_app

TYPES = {"PERSON": "PER", "GPE": "LOC", "DATE": "O"}
SMALL = {"conditions": ["matched", "none"], "studies": False, "types": TYPES}
SECRET = {"ada": "correct horse", "bob": "battery staple"}


@pytest.fixture(scope="module")
def news(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Write a data set and its photos."""
    return write_news(tmp_path_factory.mktemp("news"))


@pytest.fixture(scope="module")
def guarded(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """Serve the app to two users, one of whom has made a run."""
    logins = [part for name, word in SECRET.items() for part in ("--login", f"{name}:{word}")]
    folder = tmp_path_factory.mktemp("guarded")
    with running_app(tiny_checkpoint, folder, "--visitor-rate", "0", *logins) as app:
        yield app


@pytest.fixture(scope="module")
def made(guarded: AppProcess, news: tuple[Path, Path]) -> dict[str, Any]:
    """Make a run as a program does; return what was told, with every step in between."""
    client = Client(guarded.url, auth=("ada", SECRET["ada"]), verbose=False, analytics_enabled=False)
    data, photos = news
    job = client.submit(
        data=handle_file(data), photos=handle_file(photos), name="news of ada", **SMALL, api_name="/run"
    )
    steps = list(job)
    return {"steps": steps, "client": client, **steps[-1]}


@contextmanager
def logged_in(app: AppProcess, name: str, number: int) -> Iterator[httpx.Client]:
    """Be a user who has given the password, from an address of their own."""
    with visitor(app.url, number) as client:
        client.post("/login", data={"username": name, "password": SECRET[name]}).raise_for_status()
        yield client


def test_a_program_makes_a_run_and_sees_how_far_it_is(made: dict[str, Any], tmp_path: Path) -> None:
    """From the queue to the end, and fetches it as a zip that opens; its paths tell nothing of the server."""
    states = [step["state"] for step in made["steps"]]
    assert states[-1] == "finished" and set(states) <= {"waiting", "running", "finished"}
    shares = [step["share"] for step in made["steps"]]
    assert shares[-1] == 1 and all(0 <= share <= 1 for share in shares)
    client = made["client"]
    assert [run["name"] for run in client.predict(api_name="/runs")] == [made["name"]]
    with zipfile.ZipFile(client.predict(id=made["id"], api_name="/run_zip")) as archive:
        archive.extractall(tmp_path)
    run = EvaluationRun.open(tmp_path / made["name"])
    assert list(run.conditions) == ["matched", "none"]
    assert run.provenance["data"]["map"] == TYPES
    assert run.provenance["photos"]["unreadable"] == 1
    assert "/" not in str(run.provenance["data"]["images"]) and "/tmp" not in run.provenance["command"]


def test_a_run_is_nobody_else_s(made: dict[str, Any], guarded: AppProcess) -> None:
    """Not in the list, not in the menus and panels of the other tabs, not by its name, id, zip, report or button."""
    ask = {"part": "controls", "run": made["name"]}
    with logged_in(guarded, "ada", 41) as mine, logged_in(guarded, "bob", 42) as other:
        ada, bob = RunsPage(mine), RunsPage(other)
        assert f'data-name="{made["name"]}"' in ada.ask(do="list")["html"]
        assert f'<option value="{made["name"]}" selected' in ada.part(**ask)["html"]
        assert made["name"] not in bob.ask(do="list")["html"] and not bob.ask(do="list")["active"]
        for part in ("controls", "scores", "failures", "inspect"):
            told = bob.part(**{**ask, "part": part, "row": "0"})
            assert told["problem"] and "There is no run" in told["html"]
        assert f'value="{made["name"]}"' not in bob.part(part="controls")["html"]
        for do in ("zip", "report", "rename", "delete", "cancel", "go on", "again"):
            assert "no such run" in bob.ask(do=do, id=made["id"], name="x")["problem"]
        assert "no such run" in bob.ask(do="start", id=made["id"], choices={"name": "x"})["problem"]
        assert f'data-name="{made["name"]}"' in ada.ask(do="list")["html"]


def test_two_users_may_call_their_runs_alike(
    made: dict[str, Any], guarded: AppProcess, news: tuple[Path, Path]
) -> None:
    """Each sees their own under that name; one user may not, and nobody may take the name of a run that all see."""
    with logged_in(guarded, "bob", 43) as client:
        page = RunsPage(client)
        html = page.ask(do="look", data=page.send(news[0]))["html"]
        id = html.partition('data-job="')[2].partition('"')[0]
        taken = page.ask(do="start", id=id, choices={"name": "demo", "types": TYPES})
        assert "demo" in taken["problem"]
        assert "id" in page.ask(do="start", id=id, choices={"name": made["name"], "types": TYPES, "limit": 1})
        assert page.ask(do="list")["active"]
        page.ask(do="delete", id=id)
        assert "No run yet" in page.ask(do="list")["html"]
    assert [run["state"] for run in made["client"].predict(api_name="/runs")] == ["finished"]


def test_without_a_login_nothing_answers(guarded: AppProcess) -> None:
    """Neither the tab's function nor the calls."""
    with visitor(guarded.url, 44) as client:
        body = {"data": {"do": "list"}, "component_id": 1, "fn_name": "runs", "session_hash": "abc"}
        assert client.post("/gradio_api/component_server", json=body).status_code == 401
        for call in ("run", "runs", "cancel_run", "run_zip"):
            assert client.post(f"/gradio_api/call/{call}", json={"data": []}).status_code == 401


@pytest.mark.parametrize(
    "data",
    [
        {"path": "/etc/passwd"},
        {"path": "/etc/passwd", **FILE},
        {"path": "../../../etc/passwd.csv", **FILE},
        {"url": "http://127.0.0.1/x.csv", **FILE},
        "news.csv",
        None,
        5,
    ],
)
@pytest.mark.parametrize("place", ["data", "photos"])
def test_only_uploads_are_read(guarded: AppProcess, news: tuple[Path, Path], place: str, data: Any) -> None:
    """No path or address of anything else, as data or as photos; nothing is made of it."""
    if (place, data) == ("photos", None):
        pytest.skip("photos may be left out")
    with logged_in(guarded, "bob", 45) as client:
        page = RunsPage(client)
        sent = {"data": page.send(news[0])} | {place: data}
        answer = page.ask(do="look", **sent)
        assert set(answer) == {"problem"} and "passwd" not in answer["problem"].replace("passwd.csv", "")
        assert "No run yet" in page.ask(do="list")["html"]


def test_a_program_is_told_what_cannot_be(made: dict[str, Any], news: tuple[Path, Path], tmp_path: Path) -> None:
    """In one sentence that names it, and no draft is left."""
    client = made["client"]
    with pytest.raises(Exception, match="GPE"):
        client.predict(data=handle_file(news[0]), name="x", api_name="/run")
    (tmp_path / "bad.csv").write_text("words,tags\nAda lives,B-PER\n")
    with pytest.raises(Exception, match=r"bad\.csv:2.*2 words, but 1 tags"):
        client.predict(data=handle_file(tmp_path / "bad.csv"), name="x", api_name="/run")
    assert [run["name"] for run in client.predict(api_name="/runs")] == [made["name"]]


def test_a_public_server_makes_no_runs_unless_allowed(tiny_checkpoint: Path) -> None:
    """There is no tab, no call and no bigger upload."""
    with serving(tiny_checkpoint, "--allowed-hosts", "names.example") as url, httpx.Client(base_url=url) as client:
        config = client.get("/config").json()
        assert "Runs" not in [c["props"].get("label") for c in config["components"]]
        assert not [d for d in config["dependencies"] if d["api_name"] in ("run", "runs", "run_zip", "cancel_run")]
        assert client.post("/gradio_api/call/runs", json={"data": []}).status_code == 404
        big = {"files": ("x.zip", b"x" * 31_000_000)}
        assert client.post("/gradio_api/upload", files=big).status_code == 413

"""A service with a tiny model, and apps that are served once for all tests that talk to them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Browser, Page

from analysis.views.service import TagService
from mmner_core.serving.config import SHIPPED
from tests.app.attacking import visitor
from tests.app.browsing import chromium, watched_page
from tests.app.research_run import write_hand_made_run, write_long_run, write_tiny_run
from tests.app.serving import serving
from tests.load.app_process import AppProcess, running_app


@pytest.fixture(scope="session")
def service(tiny_checkpoint: Path) -> TagService:
    """Return a service around the tiny model."""
    return TagService(tiny_checkpoint)


@pytest.fixture(scope="session")
def url(tiny_checkpoint: Path) -> Iterator[str]:
    """Serve the app with the tiny model."""
    with serving(tiny_checkpoint, "--visitor-rate", "0") as address:  # all tests are one visitor in a hurry
        yield address


@pytest.fixture(scope="session")
def shipped_url() -> Iterator[str]:
    """Serve the app with the shipped model."""
    with serving(SHIPPED, "--visitor-rate", "0") as address:
        yield address


@pytest.fixture(scope="session")
def runs(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write runs to look at: of the tiny model, made by hand, with many errors; ``kept`` is one to write beside."""
    folder = tmp_path_factory.mktemp("runs")
    write_tiny_run(tiny_checkpoint, folder / "tiny")
    write_long_run(folder / "long")
    for name in ("hand", "kept"):
        write_hand_made_run(folder / name)
    return folder


@pytest.fixture(scope="session")
def runs_url(tiny_checkpoint: Path, runs: Path) -> Iterator[str]:
    """Serve the app with the tiny model and these runs."""
    with serving(tiny_checkpoint, "--runs", str(runs), "--visitor-rate", "0") as address:
        yield address


@pytest.fixture(scope="session")
def app(tiny_checkpoint: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppProcess]:
    """Serve the app as it is, but for visitors in a hurry, who send small files."""
    options = ("--visitor-burst", "1000000", "--max-upload-mb", "2", "--run-upload-mb", "2")
    with running_app(tiny_checkpoint, tmp_path_factory.mktemp("app"), *options) as process:
        yield process


@pytest.fixture
def client(app: AppProcess) -> Iterator[httpx.Client]:
    """Be a visitor of that app."""
    with visitor(app.url, 1) as opened:
        yield opened


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start one browser for a module."""
    with chromium() as started:
        yield started


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """Give an empty page; in the end it must have stayed on this machine and logged no error."""
    with watched_page(browser) as (opened, watch):
        yield opened
        assert watch.outside == []
        assert watch.errors == []

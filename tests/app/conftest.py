"""A service with a tiny model, and the app served once for all tests that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from analysis.views.service import TagService
from tests.app.browsing import chromium, watched_page
from tests.app.serving import serving


@pytest.fixture(scope="session")
def service(tiny_checkpoint: Path) -> TagService:
    """Return a service around the tiny model."""
    return TagService(tiny_checkpoint)


@pytest.fixture(scope="session")
def url(tiny_checkpoint: Path) -> Iterator[str]:
    """Serve the app with the tiny model."""
    with serving(tiny_checkpoint, "--visitor-rate", "0") as address:  # all tests are one visitor in a hurry
        yield address


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

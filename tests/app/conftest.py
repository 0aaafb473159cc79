"""A service with a tiny model, and the app served once for all tests that talk to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from analysis.views.service import TagService
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

"""Serve the app: as a user does, in a process of its own, or from the tests' process, within their reach."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from tests.load.app_process import running_app


@contextmanager
def serving(checkpoint: Path, *options: str) -> Iterator[str]:
    """Run ``python app.py`` on a free port until it answers; yield its address, and stop it in the end.

    Args:
        checkpoint: the model.
        options: of the app besides.

    Raises:
        InputError: if it stops by itself or does not answer in time.
    """
    with tempfile.TemporaryDirectory() as folder, running_app(checkpoint, Path(folder), *options) as app:
        yield f"{app.url}/"


@contextmanager
def launched(app: Any, options: dict[str, Any], timeout: float = 60) -> Iterator[httpx.Client]:
    """Serve an app from this process on a free port; yield a client of it, and close it in the end.

    Args:
        app: what ``build_app`` returned.
        options: what ``launch_options`` returned; the port in it is left to chance.
        timeout: seconds that the client waits.
    """
    _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **options | {"server_port": None})
    try:
        with httpx.Client(base_url=url, timeout=timeout) as client:
            yield client
    finally:
        app.close(verbose=False)

"""Serve the app as a user does, in a process of its own."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mmner_core.loadtest.app_process import running_app


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

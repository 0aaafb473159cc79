"""Serve the app as a user does, in a process of its own."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 120.0  # seconds; a start takes about four on a quiet machine


@contextmanager
def serving(checkpoint: Path, *options: str) -> Iterator[str]:
    """Run ``python app.py`` on a free port until it answers; yield its address, and stop it in the end.

    Args:
        checkpoint: the model.
        options: of the app besides.

    Raises:
        RuntimeError: if it stops by itself or does not answer in time.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}/"
    command = [sys.executable, "app.py", "--checkpoint", str(checkpoint), "--port", str(port), *options]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait(url, process)
            yield url
        finally:
            process.terminate()


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if process.poll() is not None:
            raise RuntimeError(f"app.py stopped with code {process.returncode} before it answered.")
        try:
            httpx.get(url).raise_for_status()
            return
        except httpx.TransportError:
            time.sleep(0.1)
    raise RuntimeError(f"app.py did not answer within {PATIENCE:.0f} s.")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""The app in a process of its own, with a folder for all its temporary files."""

from __future__ import annotations

import functools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from mmner_core.errors import InputError
from mmner_core.runtime.repository import REPOSITORY

PATIENCE = 600.0  # seconds; a start takes about four on a quiet machine, minutes on one that trains
LAST_WORDS = 2000  # bytes of its log that are looked at when it dies


class AppProcess:
    """``python app.py``, started, killed and started again on the same port.

    Attributes:
        started_in: seconds from its last start to its first page.

    Args:
        checkpoint: folder of the model.
        folder: for its log and, below ``tmp``, for its temporary files.
        options: of app.py besides.
    """

    def __init__(self, checkpoint: Path, folder: Path, options: tuple[str, ...] = ()) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log, self.temporary = folder / "app.log", folder / "tmp"
        self.temporary.mkdir(exist_ok=True)
        self._command = [sys.executable, "app.py", "--checkpoint", str(checkpoint), "--port", str(self.port), *options]
        self._process: subprocess.Popen[bytes] | None = None
        self.started_in = 0.0

    @property
    def pid(self) -> int:
        """The process number."""
        assert self._process is not None  # noqa: S101 (set by start)
        return self._process.pid

    def start(self) -> None:
        """Start it and wait for its first page.

        Raises:
            InputError: if it stops by itself or does not answer in time.
        """
        started = time.perf_counter()
        own = {"TMPDIR": str(self.temporary), "MMNER_RUN_HOME": str(self.log.with_name("made"))}
        environment = {**os.environ, **own}
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command,
                cwd=REPOSITORY,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=functools.partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),  # nohup is not for it
            )
        with httpx.Client(trust_env=False) as client:  # no proxy stands between us and this machine
            while time.perf_counter() - started < PATIENCE:
                if (code := self._process.poll()) is not None:
                    raise InputError(f"app.py stopped with code {code} before it answered: {self._last_line()}")
                try:
                    client.get(self.url, timeout=PATIENCE).raise_for_status()
                    self.started_in = time.perf_counter() - started
                    return
                except httpx.TransportError:
                    time.sleep(0.05)
        raise InputError(f"app.py did not answer within {PATIENCE:.0f} s.")

    def kill(self) -> None:
        """End it at once, as the machine's power switch does (kill -9)."""
        assert self._process is not None  # noqa: S101 (set by start)
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.kill()

    def _last_line(self) -> str:
        lines = self.log.read_bytes()[-LAST_WORDS:].decode("utf-8", "replace").strip().splitlines()
        return lines[-1] if lines else "it said nothing."


@contextmanager
def running_app(checkpoint: Path, folder: Path, *options: str) -> Iterator[AppProcess]:
    """Run the app until the end of the block.

    Args:
        checkpoint: folder of the model.
        folder: an existing one, for its log and temporary files.
        options: of app.py besides.

    Raises:
        InputError: if it stops by itself or does not answer in time.
    """
    app = AppProcess(checkpoint, folder, options)
    try:
        app.start()
        yield app
    finally:
        app.stop()


def free_port() -> int:
    """Return a port on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

"""Time fresh processes: loading the model, tagging from the shell, starting the app."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

from mmner_core.bench.timing import Timing
from mmner_core.errors import InputError

REPOSITORY = Path(__file__).resolve().parents[2]
PATIENCE = 180.0
_LOAD = (
    "import sys, time; from mmner_core.tagger import Tagger; "
    "start = time.perf_counter(); Tagger.load(sys.argv[1]); print(time.perf_counter() - start)"
)


def time_load(checkpoint: Path, *, repeats: int) -> Timing:
    """Time ``Tagger.load`` in fresh processes, its lazy imports included, torch's own import not."""
    seconds = [float(_run("-c", _LOAD, str(checkpoint))) for _ in range(repeats + 1)]
    return Timing.of(seconds[1:])  # the first run brings the files into memory


def time_shell(checkpoint: Path, text: str, *, repeats: int) -> Timing:
    """Time ``python -m mmner_core tag --text`` from start to exit."""
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        _run("-m", "mmner_core", "tag", "--text", text, "--checkpoint", str(checkpoint))
        seconds.append(time.perf_counter() - started)
    return Timing.of(seconds[1:])


def time_app(checkpoint: Path, *, repeats: int) -> Timing | None:
    """Time the app from its start to its first page; None where there is no app."""
    if not (REPOSITORY / "app.py").is_file():
        return None
    return Timing.of([_start_app(checkpoint) for _ in range(repeats + 1)][1:])


def _run(*arguments: str) -> str:
    """Run Python in the repository and return its output."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"A measured process failed: {result.stderr.strip().splitlines()[-1]}")
    return result.stdout


def _start_app(checkpoint: Path) -> float:
    """Start the app on a free port, fetch its page, stop it; return the seconds until the page came."""
    port = _free_port()
    command = [sys.executable, "app.py", "--checkpoint", str(checkpoint), "--port", str(port)]
    started = time.perf_counter()
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            while time.perf_counter() - started < PATIENCE:
                if process.poll() is not None:
                    raise InputError(f"app.py stopped with code {process.returncode} before it answered.")
                with contextlib.suppress(urllib.error.URLError), _open(port):
                    return time.perf_counter() - started
                time.sleep(0.05)
            raise InputError(f"app.py did not answer within {PATIENCE:.0f} s.")
        finally:
            process.terminate()


def _open(port: int) -> contextlib.AbstractContextManager[object]:
    """Fetch the app's page from this machine, whatever proxy the environment names."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    return opener.open(f"http://127.0.0.1:{port}/", timeout=10)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])

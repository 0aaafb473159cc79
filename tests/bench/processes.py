"""Time fresh processes: loading the model, tagging from the shell, starting the app."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx

from mmner_core.errors import InputError
from mmner_core.runtime.interrupts import held
from mmner_core.runtime.repository import REPOSITORY
from tests.bench.timing import CallTimes
from tests.load.app_process import PATIENCE, running_app
from tests.load.questions import Question, UploadedPhoto
from tests.load.wire import Session

_LOAD = (
    "import sys, time; from mmner_core.inference.tagger import Tagger; "
    "start = time.perf_counter(); Tagger.load(sys.argv[1]); print(time.perf_counter() - start)"
)


def time_load(checkpoint: Path, *, repeats: int) -> CallTimes:
    """Time ``Tagger.load`` in fresh processes, its lazy imports included, torch's own import not."""
    seconds = [float(_run("-c", _LOAD, str(checkpoint))) for _ in range(repeats + 1)]
    return CallTimes.of(seconds[1:])  # the first run brings the files into memory


def time_shell(checkpoint: Path, text: str, *, repeats: int) -> CallTimes:
    """Time ``python -m mmner_core tag --text`` from start to exit."""
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        _run("-m", "mmner_core", "tag", "--text", text, "--checkpoint", str(checkpoint))
        seconds.append(time.perf_counter() - started)
    return CallTimes.of(seconds[1:])


def time_app(checkpoint: Path, *, repeats: int) -> CallTimes | None:
    """Time the app from its start to its first page; None where there is no app."""
    if not (REPOSITORY / "app.py").is_file():
        return None
    return CallTimes.of([_start_app(checkpoint) for _ in range(repeats + 1)][1:])


def time_first_result(checkpoint: Path, text: str, photo: bytes, *, repeats: int) -> CallTimes | None:
    """Time the app from its start to its first answer, about a text and a photo; None where there is no app."""
    if not (REPOSITORY / "app.py").is_file():
        return None
    question = Question(
        number=1, text=text, photo=UploadedPhoto(name="photo.jpg", mime_type="image/jpeg", content=photo)
    )
    return CallTimes.of([_start_and_ask(checkpoint, question) for _ in range(repeats + 1)][1:])


def _run(*arguments: str) -> str:
    """Run Python in the repository and return its output."""
    command = [sys.executable, *arguments]
    result = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"A measured process failed: {result.stderr.strip().splitlines()[-1]}")
    return result.stdout


def _start_app(checkpoint: Path) -> float:
    """Start the app, fetch its page, stop it; return the seconds until the page came."""
    with held(), tempfile.TemporaryDirectory() as folder, running_app(checkpoint, Path(folder)) as app:
        return app.started_in


def _start_and_ask(checkpoint: Path, question: Question) -> float:
    """Start the app, ask as soon as it answers, stop it; return the seconds until the answer came."""
    with held(), tempfile.TemporaryDirectory() as folder, running_app(checkpoint, Path(folder)) as app:
        asked = time.perf_counter()
        asyncio.run(_ask(app.url, question))
        return app.started_in + time.perf_counter() - asked


async def _ask(url: str, question: Question) -> None:
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        await Session(client).call_tag(question)

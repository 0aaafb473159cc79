"""Kill the app while it works, start it again, and look for what the dead one left behind."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx

from mmner_core.errors import InputError
from tests.load.app_process import PATIENCE, AppProcess
from tests.load.outcome import Kill
from tests.load.questions import Question
from tests.load.visitors import World
from tests.load.wire import API, Busy, Lost, RequestFailed, Session

UPLOAD = 4_000_000  # bytes of a photo of which only the half arrives
MOMENT = 0.5  # seconds for that half to reach the app's disk
_BOUNDARY = "half-a-photo"
_HEAD = (
    f"--{_BOUNDARY}\r\n"
    'Content-Disposition: form-data; name="files"; filename="half.jpg"\r\n'
    "Content-Type: image/jpeg\r\n\r\n"
).encode()


async def kill_and_restart(world: World, app: AppProcess, read_only: list[Path]) -> Kill:
    """Kill the app in the middle of an upload and of the visitors' questions; start it again.

    Args:
        world: the visitors' world, which is told when the app is down.
        app: to kill.
        read_only: folders in which the app must change nothing.

    Raises:
        InputError: if it does not start again.
    """
    before = _state(read_only)
    upload = asyncio.create_task(_upload_half(app.url))
    await asyncio.sleep(MOMENT)
    # Set before the signal: a question that fails in between fails because of it.
    world.killed, world.end = time.perf_counter(), math.inf
    died = time.time()
    await asyncio.to_thread(app.kill)
    await asyncio.gather(upload, return_exceptions=True)
    started = time.perf_counter()
    await asyncio.to_thread(app.start)
    await answer_once(app.url)
    world.back = time.perf_counter()
    after = _state(read_only)
    changed = {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}
    stale = {path for path, (_, modified) in _state([app.temporary]).items() if modified < died}
    return Kill(
        at=world.killed - world.clock,
        back_after=world.back - started,
        left_behind=tuple(sorted(str(path) for path in changed | stale)),
    )


async def answer_once(url: str) -> None:
    """Wait for the answer to one question, which needs the model.

    Raises:
        InputError: if there is none.
    """
    question = Question(number=0, text="Ada Lovelace in Berlin", photo=None)
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=PATIENCE) as client:
        try:
            await Session(client).call_tag(question)
        except (Busy, RequestFailed, Lost, httpx.HTTPError) as error:
            raise InputError(f"The app at {url} does not answer a question: {error or type(error).__name__}") from error


async def _upload_half(url: str) -> None:
    """Begin to upload a photo and stop in the middle, with the line held open."""

    async def half() -> AsyncIterator[bytes]:
        yield _HEAD
        yield bytes(UPLOAD // 2)
        await asyncio.sleep(60)

    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}", "Content-Length": str(UPLOAD)}
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60.0) as client:
        await client.post(f"/{API}/upload", content=half(), headers=headers)


def _state(folders: list[Path]) -> dict[Path, tuple[int, float]]:
    """Return size and time of change of every file below the folders."""
    state = {}
    for folder in folders:
        for path in folder.rglob("*"):
            try:
                if path.is_file():
                    state[path] = (path.stat().st_size, path.stat().st_mtime)
            except FileNotFoundError:
                continue  # the app removed it just now
    return state

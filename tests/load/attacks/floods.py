"""Much of what costs the sender nothing: junk, pages, connections."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import CLOSED, HELD, Attacker

CONNECTIONS = 200
RETRY = 1.0  # seconds until a connection that the app closed is opened again
ID_CHARACTERS = 50_000  # of the name of an upload, in an address


async def _junk(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    for number in itertools.count():
        if number % 2:
            yield await attacker.get(f"queue/data?session_hash={attacker.fresh()}")
        else:
            yield await attacker.post("queue/join", b"{junk")


async def _idle_connections(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    while True:
        try:
            async with attacker.connection() as (reader, writer):
                if lane % 2:
                    writer.write(b"POST /gradio_api/queue/join HTTP/1.1\r\nContent-Length: 5")  # a head without an end
                yield HELD
                await reader.read()  # until the app closes it
            yield CLOSED
        except OSError:
            yield CLOSED
        await asyncio.sleep(RETRY)


async def _pages(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    for path in itertools.cycle(("/", "/config", "/gradio_api/info?page=")):
        yield await attacker.get_page(path)


async def _upload_progress(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    while True:
        yield await attacker.get(f"upload_progress?upload_id={attacker.fresh()}{'x' * ID_CHARACTERS}")


async def _sessions(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    component = next(c["id"] for c in attacker.config["components"] if c["props"].get("server_fns"))
    while True:
        body = {"data": {"part": "controls"}, "component_id": component, "fn_name": "part"}
        yield await attacker.post("component_server", {**body, "session_hash": attacker.fresh()})


ATTACKS = (
    Attack(
        name="sessions",
        does="ever new sessions, so that the app forgets what the others were shown",
        steps=_sessions,
        lanes=3,
    ),
    Attack(name="junk", does="streams of sessions that never were, and JSON that is none", steps=_junk, pause=0.02),
    Attack(
        name="idle-connections",
        does=f"{CONNECTIONS} connections held open, half of them in the middle of a request",
        steps=_idle_connections,
        lanes=CONNECTIONS,
        pause=0.01,
    ),
    Attack(name="pages", does="the page and its configuration, over and over", steps=_pages, pause=0.0),
    Attack(
        name="upload-progress",
        does="the progress of uploads with long names that never were",
        steps=_upload_progress,
        lanes=50,
    ),
)

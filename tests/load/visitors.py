"""A visitor: opens the page, asks, reads the answer, thinks, asks again; now and then leaves and comes back."""

from __future__ import annotations

import asyncio
import contextlib
import html
import random
import time
from dataclasses import dataclass, field
from typing import Any

import httpx

from tests.load.clicks import can_click, click_name
from tests.load.outcome import Fate, Outcome
from tests.load.questions import Question, UploadedPhoto, make_question
from tests.load.wire import PROBLEM, Busy, LoadedPage, Lost, RequestFailed, Session, new_value

PATIENCE = 60.0
"""Seconds after which an answer counts as lost; signs of life, which gradio sends every 15, are no answer."""
VISIT = 8  # questions before a visitor closes the page
PROGRAMS = 5  # every fifth visitor is a program
RETRY = 0.5  # seconds between attempts to open the page while the app is down


@dataclass(slots=True)
class World:
    """What all visitors share.

    Attributes:
        url: of the app.
        clock: when the test began, by ``time.perf_counter``.
        end: when nobody asks a new question, by the same clock; not known while the app is dead.
        think: mean seconds between an answer and the next question.
        photo_share: how many of the questions have a photo.
        photos: to choose from.
        clicks: whether visitors click a name of an answer with a photo.
        outcomes: one for each question that was asked, and each click.
        killed: when the app was killed, or None.
        back: when it was back, or None.
    """

    url: str
    clock: float
    end: float
    think: float
    photo_share: float
    photos: list[UploadedPhoto]
    clicks: bool = False
    outcomes: list[Outcome] = field(default_factory=list)
    killed: float | None = None
    back: float | None = None
    asked: int = 0

    def down_since(self, started: float) -> bool:
        """Return whether the app was dead at some time between ``started`` and now."""
        return self.killed is not None and (self.back is None or started < self.back)

    def next_number(self) -> int:
        """Return a number that no question has yet."""
        self.asked += 1
        return 100_000 + self.asked


async def visit(world: World, number: int, seed: int) -> None:
    """Be visitor ``number`` until the test ends."""
    chance = random.Random(seed + number)
    await asyncio.sleep(chance.uniform(0, min(world.think, (world.end - world.clock) / 2)))
    while time.perf_counter() < world.end:
        async with _client(world.url, number) as client:
            session = Session(client)
            page = await _open(world, session)
            if page is None:
                await asyncio.sleep(RETRY)
                continue
            staying = asyncio.create_task(session.stay())
            try:
                for _ in range(VISIT):
                    if time.perf_counter() >= world.end or (world.killed and staying.done()):
                        break
                    await _ask(world, session, page, chance, program=number % PROGRAMS == 0)
                    thought = chance.expovariate(1 / world.think)
                    await asyncio.sleep(max(0.0, min(thought, world.end - time.perf_counter())))
            finally:
                staying.cancel()
                with contextlib.suppress(asyncio.CancelledError, httpx.HTTPError):
                    await staying


def _client(url: str, number: int) -> httpx.AsyncClient:
    """Return a client with an address of its own, as visitors have; on this machine 127.0.0.0/8 is all ours."""
    local = f"127.0.1.{number % 250 + 1}" if httpx.URL(url).host == "127.0.0.1" else None
    return httpx.AsyncClient(
        base_url=url,
        # Certificates take a tenth of a second to load, in which all visitors would stand still.
        transport=httpx.AsyncHTTPTransport(local_address=local, verify=httpx.URL(url).scheme == "https"),
        timeout=httpx.Timeout(PATIENCE, connect=10.0),
    )


async def _open(world: World, session: Session) -> LoadedPage | None:
    """Open the page; a failure is an outcome like any other, unless the app is down on purpose."""
    started = time.perf_counter()
    try:
        return await session.open()
    except (Busy, RequestFailed, httpx.HTTPError) as error:
        if not world.down_since(started):
            world.outcomes.append(_outcome(world, "page", started, *_fate(world, started, error)))
        return None


async def _ask(world: World, session: Session, page: LoadedPage, chance: random.Random, *, program: bool) -> None:
    question = make_question(world.next_number(), world.photos, chance, photo_share=world.photo_share)
    kind = "program" if program else "photo" if question.photo else "text"
    started = time.perf_counter()
    fate, told, outputs = "answered", "", []
    try:
        async with asyncio.timeout(PATIENCE):
            if program:
                told = _fault_of_json(await session.call_tag(question), question)
            else:
                outputs = await session.outputs(page, question)
                told = _fault_of_page(str(new_value(outputs[page.result])), question)
        fate = "error" if told else "answered"
    except (Busy, RequestFailed, Lost, TimeoutError, httpx.HTTPError) as error:
        fate, told = _fate(world, started, error)
    world.outcomes.append(_outcome(world, kind, started, fate, told))
    if world.clicks and fate == "answered" and kind == "photo" and can_click(session.config, outputs):
        await _click(world, session, outputs)


async def _click(world: World, session: Session, outputs: list[Any]) -> None:
    started = time.perf_counter()
    try:
        async with asyncio.timeout(PATIENCE):
            told = await click_name(session, session.config, outputs)
        fate = "error" if told else "answered"
    except (Busy, RequestFailed, Lost, TimeoutError, httpx.HTTPError) as error:
        fate, told = _fate(world, started, error)
    world.outcomes.append(_outcome(world, "click", started, fate, told))


def _fate(world: World, started: float, error: Exception) -> tuple[Fate, str]:
    told = f"{error}" or type(error).__name__
    if world.down_since(started):
        return "interrupted", told
    if isinstance(error, Busy):
        return "busy", told
    return ("lost" if isinstance(error, Lost | TimeoutError | httpx.ReadTimeout) else "error"), told


def _outcome(world: World, kind: str, started: float, fate: str, told: str) -> Outcome:
    seconds = time.perf_counter() - started
    return Outcome(kind=kind, fate=fate, started=started - world.clock, seconds=seconds, told=told)  # type: ignore[arg-type]


def _fault_of_page(result: str, question: Question) -> str:
    """Say what is wrong with a result: it must be the one of this question, and a result."""
    if PROBLEM in result:
        return f"The page shows a problem: {result}"
    return "" if str(question.number) in html.unescape(result) else "The page shows the result of another question."


def _fault_of_json(answer: dict[str, object], question: Question) -> str:
    if answer["text"] != question.text:
        return "A program got the answer to another question."
    names = answer["entities"]
    assert isinstance(names, list)  # noqa: S101 (the documented form)
    wrong = [name for name in names if question.text[name["start"] : name["end"]] != name["text"]]
    return f"Offsets do not index the text: {wrong[0]}" if wrong else ""

"""Requests that cost the sender little and the app much: huge photos, forgotten answers, models in turn."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator

import httpx

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker
from tests.load.attacks.bodies import huge_photo, small_photo
from tests.load.questions import Question
from tests.load.wire import MODEL, RESULT, Busy, Handler, LoadedPage, Lost, RequestFailed, choices_of

SESSIONS = 7  # of each lane; all lanes' answers together are more than the app keeps
_CLICK = {"entity": 0}


async def _megapixels(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    photo = await asyncio.to_thread(huge_photo)
    uploaded = None
    for number in itertools.count():
        if uploaded is None:
            status, uploaded = await attacker.upload(photo)
            yield status
        else:
            yield await attacker.post("call/tag", {"data": [f"Ada in Berlin {lane} {number}", uploaded, "auto", ""]})


async def _clicks(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    page, click = LoadedPage.read(attacker.config), Handler.find(attacker.config, RESULT, "select")
    names = [attacker.fresh() for _ in range(SESSIONS)]
    for name in names:
        question = Question(number=lane, text=f"Ada Lovelace in Berlin, {name}", photo=small_photo())
        try:
            await attacker.session(name).outputs(page, question)
            yield "200"
        except (Busy, RequestFailed, Lost, httpx.HTTPError) as error:
            yield type(error).__name__.lower()
    for name in itertools.cycle(names):
        yield await attacker.join(click, name, click.values, _CLICK)


async def _models(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    names = choices_of(attacker.config, MODEL)
    if len(names) < 2:
        return
    for name in itertools.cycle(names[lane:] + names[:lane]):
        yield await attacker.post("call/tag", {"data": ["Ada in Berlin", None, "auto", "", name]})


ATTACKS = (
    Attack(name="megapixels", does="questions about a photo of 45 megapixels in 200 kB", steps=_megapixels),
    Attack(name="clicks", does="clicks on names of answers that the app has forgotten meanwhile", steps=_clicks),
    Attack(name="models", does="each question to another model than the one before", steps=_models, lanes=3),
)

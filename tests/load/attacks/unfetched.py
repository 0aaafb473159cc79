"""Ask and never fetch the answer."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker
from tests.load.attacks.bodies import small_photo
from tests.load.wire import BUTTON, Handler, LoadedPage

TEXT = "Ada Lovelace met Marie Curie from the United Nations in Berlin, number {number}. " * 10


async def _unfetched(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    page, button = LoadedPage.read(attacker.config), Handler.find(attacker.config, BUTTON, "click")
    _, photo = await attacker.upload(small_photo())
    for number in itertools.count():
        text = TEXT.format(number=f"{lane}-{number}")
        asked = photo if number % 2 else None
        if number % 4 < 2:
            yield await attacker.post("call/tag", {"data": [text, asked, "auto", ""]})
        else:
            yield await attacker.join(button, attacker.fresh(), page.filled(text, asked))


ATTACKS = (
    Attack(
        name="unfetched",
        does="questions with and without a photo, from ever new sessions, whose answers are left lying",
        steps=_unfetched,
        lanes=3,
    ),
)

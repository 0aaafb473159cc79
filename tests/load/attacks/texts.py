"""As much text as is let in: one long one, or many short ones at once."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker

CHARACTERS = 19_900  # just within the limit of a text
ITEMS = 64  # the most that a batch may have
_SENTENCE = "Ada Lovelace met Grace Hopper in Berlin. "


async def _long_texts(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    text = (_SENTENCE * (CHARACTERS // len(_SENTENCE)))[:CHARACTERS]
    for number in itertools.count():
        yield await attacker.post("call/tag", {"data": [f"{text}{lane}-{number}", None, "auto", ""]})


async def _many_items(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    for number in itertools.count():
        items = [{"text": f"Ada {lane}-{number}-{i}"} for i in range(ITEMS)]
        yield await attacker.post("call/tag_batch", {"data": [items]})


ATTACKS = (
    Attack(name="long-texts", does="texts as long as is allowed", steps=_long_texts),
    Attack(name="many-items", does=f"batches of {ITEMS} texts of one name each", steps=_many_items),
)

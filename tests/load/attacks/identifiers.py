"""Names of sessions and origins that no browser sends."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker
from tests.load.wire import RESULT, Handler

STRANGE = ("", "\ud800", "\x00", "a\nb", "../..", "x" * 10_000)
_CLICK = {"entity": 0}


async def _strange_sessions(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    click = Handler.find(attacker.config, RESULT, "select")
    for number in itertools.count(lane):
        yield await attacker.join(click, STRANGE[number % len(STRANGE)], click.values, _CLICK)


async def _foreign_sites(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    foreign = {"Origin": "http://elsewhere.example"}
    for number in itertools.count():
        if number % 3 == 0:
            yield await attacker.post("call/models", {"data": []}, **foreign)
        elif number % 3 == 1:
            yield await attacker.get("info", headers={"Host": "elsewhere.example"})
        else:
            yield await attacker.post("call/models", {"data": []}, Origin="null")


ATTACKS = (
    Attack(
        name="strange-sessions",
        does="events of sessions whose name is empty, half a character, or ten thousand long",
        steps=_strange_sessions,
    ),
    Attack(name="foreign-sites", does="requests that another site made a browser send", steps=_foreign_sites, lanes=2),
)

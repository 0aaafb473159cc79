"""The hostile visitor: goes through the attacks in turn, twice, beside the visitors who only want an answer.

The first round fills whatever the app keeps within a bound (answers, sessions, models), so memory that grows in the
second has no bound. Each attack comes from an address of its own, or what an earlier one is denied would shield the app
from the next.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from mmner_core.errors import InputError
from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker

ROUNDS = 2
CALM = "calm"
_HOSTS = ("127.0.0.1", "localhost")


@dataclass(slots=True)
class Onslaught:
    """One attack as it went.

    Attributes:
        name: of the attack; "calm": there was none.
        started: seconds since the clock started.
        ended: by the same clock.
        answers: how often the app answered with which status, or how else a request ended.
    """

    name: str
    started: float
    ended: float
    answers: Counter[str] = field(default_factory=Counter)


def own_address(url: str) -> str:
    """Return the address of an app on this machine, by which visitors can have addresses of their own.

    Raises:
        InputError: if it is elsewhere: nobody's server is attacked but one's own.
    """
    parts = httpx.URL(url)
    if parts.host not in _HOSTS:
        raise InputError(
            f"A hostile visitor is only let at an app of this machine: --url http://127.0.0.1:PORT, not {url}."
        )
    return str(parts.copy_with(host="127.0.0.1")).rstrip("/")


async def fetch_config(url: str) -> dict[str, Any]:
    """Return the configuration of the app's page, which says what its parts send."""
    async with httpx.AsyncClient(base_url=url, trust_env=False, timeout=60.0) as client:
        return dict((await client.get("/config")).raise_for_status().json())


async def attack_in_turn(
    url: str, config: dict[str, Any], attacks: Sequence[Attack], *, clock: float, seconds: float
) -> list[Onslaught]:
    """Attack until the time is up; each round begins with a calm spell, and so does the end.

    Args:
        url: of the app, as :func:`own_address` returns it.
        config: of its page.
        attacks: to go through.
        clock: when the test began, by ``time.perf_counter``.
        seconds: for all of it.
    """
    spells: list[Attack | None] = [*[None, *attacks] * ROUNDS, None]
    done: list[Onslaught] = []
    for number, attack in enumerate(spells):
        started = time.perf_counter() - clock
        left = (seconds - started) / (len(spells) - number)
        answers: Counter[str] = Counter()
        if attack is None:
            await asyncio.sleep(left)
        else:
            async with Attacker(url, f"127.0.2.{number % 250 + 1}", config) as attacker:
                answers = await attack.run(attacker, left)
        name = CALM if attack is None else attack.name
        done.append(Onslaught(name=name, started=started, ended=time.perf_counter() - clock, answers=answers))
    return done


def second_round(done: Sequence[Onslaught]) -> float:
    """Return when the second round began, in seconds since the clock started."""
    return [spell.started for spell in done if spell.name == CALM][1]

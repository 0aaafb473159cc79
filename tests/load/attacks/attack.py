"""What an attack is: steps without an end, taken by some lanes at once until the time is up."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass

from tests.load.attacks.attacker import Attacker

CUT_OFF = "no answer until the end"
Steps = Callable[[Attacker, int], AsyncGenerator[str, None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """One way to stop the service for everybody else.

    Attributes:
        name: to choose it by.
        does: in half a sentence.
        steps: yields how the app answered each request of one lane, whose number it is given; no randomness in it.
        lanes: how many go at once.
        pause: seconds between two steps of a lane, so that it is not the sender who takes the machine.
    """

    name: str
    does: str
    steps: Steps
    lanes: int = 6
    pause: float = 0.05

    async def run(self, attacker: Attacker, seconds: float) -> Counter[str]:
        """Attack for some seconds; return how often the app answered how."""
        answers: Counter[str] = Counter()

        async def walk(lane: int) -> None:
            async with contextlib.aclosing(self.steps(attacker, lane)) as steps:
                while (answer := await _next(steps)) is not None:
                    answers[answer] += 1
                    await asyncio.sleep(self.pause)

        async def _next(steps: AsyncGenerator[str, None]) -> str | None:
            try:
                return await anext(steps, None)
            except asyncio.CancelledError:
                answers[CUT_OFF] += 1
                raise

        lanes = [asyncio.create_task(walk(lane)) for lane in range(self.lanes)]
        try:
            await asyncio.wait(lanes, timeout=seconds)
        finally:
            for task in lanes:
                task.cancel()
            ended = await asyncio.gather(*lanes, return_exceptions=True)
        for fault in ended:
            if isinstance(fault, Exception):
                raise fault
        return answers

"""Budgets of the costly work one visitor may cause in a minute: pixels decoded, models loaded."""

from __future__ import annotations

import math

from mmner_core.serving.asgi import Refused, retry_after
from mmner_core.serving.limits import RateLimit
from mmner_core.serving.visitor import current_visitor

TOO_MANY_PIXELS = (
    "Your photos had more pixels than one visitor may send in a minute ({most:g} million); "
    "try again in {seconds} s, or send smaller ones."
)
TOO_MANY_LOADS = (
    "A model had to be loaded for you as often as allowed ({most} times a minute); "
    "try again in {seconds} s, or stay with a model you just used."
)


class MinuteBudget:
    """A budget per visitor and minute, which may be spent at once; work for nobody in particular is free.

    Args:
        most: units a minute.
        sentence: for whoever has none left, with ``most`` and ``seconds`` in braces.
    """

    def __init__(self, most: float, sentence: str) -> None:
        self._most = most
        self._sentence = sentence
        self._limit = RateLimit(most / 60, math.ceil(most))

    def spend(self, units: float = 1.0) -> None:
        """Spend units of the current visitor's budget; the last request may take more than was left.

        Raises:
            Refused: if there were none left.
        """
        visitor = current_visitor()
        if visitor is None:
            return
        if wait := self._limit.take(visitor):
            seconds = math.ceil(wait)
            raise Refused(retry_after(429, self._sentence.format(most=self._most, seconds=seconds), seconds))
        self._limit.charge(visitor, units - 1)

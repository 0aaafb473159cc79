"""Generators of work that pause between pieces, so that other requests can be answered in between."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

A = TypeVar("A")

Pieces = Generator[None, None, A]
"""Does a piece of the work whenever it is asked for the next; what it returns in the end is the result."""


def finish(pieces: Pieces[A]) -> A:
    """Do all pieces without pausing and return the result."""
    while True:
        try:
            next(pieces)
        except StopIteration as done:
            result: A = done.value
            return result

"""Requests that wait are grouped; each gets its own answer or its own error."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from mmner_core.serving.batcher import MicroBatcher


class Doubler:
    """Doubles numbers; the first group waits until it is let go, so that a test can fill the queue behind it."""

    def __init__(self) -> None:
        self.groups: list[list[int]] = []
        self.started, self.go = Event(), Event()

    def __call__(self, numbers: Sequence[int]) -> list[int]:
        """Answer a group; 13 cannot be doubled."""
        self.groups.append(list(numbers))
        self.started.set()
        self.go.wait(10)
        if 13 in numbers:
            raise ValueError("unlucky")
        return [2 * number for number in numbers]


def test_what_waits_is_grouped_in_order_and_no_group_is_too_big() -> None:
    """The first is answered alone; behind it groups of at most three form, and each caller gets their own answer."""
    run = Doubler()
    batcher = MicroBatcher(run, max_size=3)
    first = batcher.submit(0)
    assert run.started.wait(10)
    others = [batcher.submit(number) for number in range(1, 6)]
    run.go.set()
    assert [future.result(10) for future in (first, *others)] == [0, 2, 4, 6, 8, 10]
    assert run.groups == [[0], [1, 2, 3], [4, 5]]
    batcher.close()


def test_a_request_that_fails_does_not_take_its_neighbours_with_it() -> None:
    """The group is answered one by one; only the faulty request is told."""
    run = Doubler()
    batcher = MicroBatcher(run, max_size=8)
    batcher.submit(0)
    assert run.started.wait(10)
    good, bad, last = (batcher.submit(number) for number in (1, 13, 2))
    run.go.set()
    assert (good.result(10), last.result(10)) == (2, 4)
    with pytest.raises(ValueError, match="unlucky"):
        bad.result(10)
    batcher.close()


def test_nobody_gets_anothers_answer() -> None:
    """Sixteen threads ask a thousand times in all; each answer belongs to its question."""
    batcher = MicroBatcher(lambda numbers: [2 * number for number in numbers], max_size=4)
    with ThreadPoolExecutor(16) as visitors:
        answers = list(visitors.map(lambda number: batcher.submit(number).result(10), range(1000)))
    assert answers == [2 * number for number in range(1000)]
    batcher.close()


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    """A model that is unloaded leaves nobody without an answer."""
    run = Doubler()
    batcher = MicroBatcher(run, max_size=1)
    futures = [batcher.submit(number) for number in range(4)]
    run.go.set()
    batcher.close()
    assert [future.result(0) for future in futures] == [0, 2, 4, 6]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(1)


def test_a_request_taken_back_is_not_answered() -> None:
    """A caller who gave up costs nothing."""
    run = Doubler()
    batcher = MicroBatcher(run, max_size=8)
    batcher.submit(0)
    assert run.started.wait(10)
    gone = batcher.submit(1)
    assert gone.cancel()
    run.go.set()
    batcher.close()
    assert run.groups == [[0]]

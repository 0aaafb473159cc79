"""Requests that wait are grouped, heavy ones are answered in pieces; each gets its own answer or its own error."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import pytest

from mmner_core.inference.pieces import Pieces
from mmner_core.serving.batcher import MicroBatcher

HEAVY = 10


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

    def in_pieces(self, number: int) -> Pieces[int]:
        """Double a number three times, each a group of its own; the second time 13 cannot be doubled."""
        for i in range(3):
            self([number if i == 1 else -number])
            yield
        return 8 * number


def open_batcher(run: Doubler, *, max_size: int) -> MicroBatcher[int, int]:
    """Return a batcher whose groups are doubled."""
    return MicroBatcher(run, max_size=max_size, run_in_pieces=run.in_pieces, max_weight=HEAVY - 1)


def test_what_waits_is_grouped_in_order_and_no_group_is_too_big() -> None:
    """The first is answered alone; behind it groups of at most three form, and each caller gets their own answer."""
    run = Doubler()
    batcher = open_batcher(run, max_size=3)
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
    batcher = open_batcher(run, max_size=8)
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
    run = Doubler()
    run.go.set()
    batcher = open_batcher(run, max_size=4)

    def ask(number: int) -> int:
        heavy = number % 10 == 4
        answer = batcher.submit(number, sender=str(number % 7), weight=HEAVY if heavy else 1).result(10)
        return answer // 4 if heavy else answer

    with ThreadPoolExecutor(16) as visitors:
        answers = list(visitors.map(ask, (number for number in range(1000) if number != 13)))
    assert answers == [2 * number for number in range(1000) if number != 13]
    batcher.close()


def test_closing_answers_what_waits_and_takes_no_more() -> None:
    """A model that is unloaded leaves nobody without an answer."""
    run = Doubler()
    batcher = open_batcher(run, max_size=1)
    futures = [batcher.submit(number) for number in range(4)]
    run.go.set()
    batcher.close()
    assert [future.result(0) for future in futures] == [0, 2, 4, 6]
    with pytest.raises(RuntimeError, match="closed"):
        batcher.submit(1)


def test_a_request_taken_back_is_not_answered() -> None:
    """A caller who gave up costs nothing."""
    run = Doubler()
    batcher = open_batcher(run, max_size=8)
    batcher.submit(0)
    assert run.started.wait(10)
    gone = batcher.submit(1)
    assert gone.cancel()
    run.go.set()
    batcher.close()
    assert run.groups == [[0]]


def test_others_are_answered_between_the_pieces_of_a_heavy_request() -> None:
    """Who comes during a piece is in the group right after it, whoever asks; heavy ones of two senders take turns."""
    run = Doubler()
    batcher = open_batcher(run, max_size=8)
    order: list[str] = []
    futures = []

    def submit(name: str, number: int, weight: int = 1) -> None:
        futures.append(batcher.submit(number, sender=name[0], weight=weight))
        futures[-1].add_done_callback(lambda _: order.append(name))

    submit("a: long", 100, HEAVY)
    assert run.started.wait(10)
    for name, number, weight in (("a: next", 300, HEAVY), ("b: long", 200, HEAVY), ("a: short", 1, 1), ("c", 2, 1)):
        submit(name, number, weight)
    run.go.set()
    batcher.close()
    assert [future.result(0) for future in futures] == [800, 2400, 1600, 2, 4]
    assert order == ["a: short", "c", "a: long", "b: long", "a: next"]
    assert run.groups[:2] == [[-100], [1, 2]]
    assert run.groups[2:] == [[n] for n in (-200, 100, 200, -100, -200, -300, 300, -300)]


def test_a_heavy_request_goes_on_however_many_light_ones_come() -> None:
    """After each group it has a piece: it is answered though light ones never cease to wait."""
    run = Doubler()
    batcher = open_batcher(run, max_size=2)
    heavy = batcher.submit(100, sender="a", weight=HEAVY)
    assert run.started.wait(10)
    light = [batcher.submit(number, sender="b") for number in range(10)]
    run.go.set()
    batcher.close()
    assert heavy.result(0) == 800 and [future.result(0) for future in light] == [2 * n for n in range(10)]
    assert run.groups[:5] == [[-100], [0, 1], [100], [2, 3], [-100]]


def test_a_piece_that_fails_ends_its_request_alone() -> None:
    """The others, heavy ones too, are answered."""
    run = Doubler()
    batcher = open_batcher(run, max_size=8)
    bad = batcher.submit(13, sender="a", weight=HEAVY)
    assert run.started.wait(10)
    good, light = batcher.submit(1, sender="b", weight=HEAVY), batcher.submit(2)
    run.go.set()
    assert (good.result(10), light.result(10)) == (8, 4)
    with pytest.raises(ValueError, match="unlucky"):
        bad.result(10)
    batcher.close()


def test_a_heavy_request_taken_back_stops_after_its_piece() -> None:
    """A caller who gave up costs no more than the piece that was at work."""
    run = Doubler()
    batcher = open_batcher(run, max_size=8)
    gone = batcher.submit(100, weight=HEAVY)
    assert run.started.wait(10)
    assert gone.cancel()
    other = batcher.submit(200, weight=HEAVY)
    run.go.set()
    assert other.result(10) == 1600
    batcher.close()
    assert run.groups == [[-100], [-200], [200], [-200]]

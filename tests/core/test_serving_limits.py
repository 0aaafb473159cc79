"""A visitor may ask this often and this much at once; others are not touched by it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.serving.limits import ConcurrencyLimit, RateLimit
from tests.told import refused


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_burst_then_a_rate() -> None:
    """Three at once, then one each half second; the wait that is told is the wait that it takes."""
    clock = Clock()
    limit = RateLimit(2.0, 3, clock=clock)
    assert [limit.take("ada") for _ in range(3)] == [0, 0, 0]
    assert limit.take("ada") == pytest.approx(0.5)
    clock.now += 0.49
    assert limit.take("ada") == pytest.approx(0.01)
    clock.now += 0.02
    assert limit.take("ada") == 0
    assert limit.take("ada") > 0


def test_more_work_takes_more_tokens() -> None:
    """What a visitor owes must come back before the next request; who owes nothing is not charged."""
    clock = Clock()
    limit = RateLimit(2.0, 3, clock=clock)
    assert limit.take("ada") == 0
    limit.charge("ada", 4)
    assert limit.take("ada") == pytest.approx(1.5)
    clock.now += 1.5
    assert limit.take("ada") == 0
    limit.charge("bob", -5)
    assert [limit.take("bob") == 0 for _ in range(4)] == [True, True, True, False]
    unlimited = RateLimit(0, 1, clock=clock)
    unlimited.charge("ada", 1e9)
    assert unlimited.take("ada") == 0


def test_visitors_do_not_share_a_bucket() -> None:
    """One visitor's haste costs another nothing."""
    limit = RateLimit(1.0, 1, clock=Clock())
    assert limit.take("ada") == 0
    assert limit.take("ada") > 0
    assert limit.take("bob") == 0


def test_a_quiet_visitor_saves_up_no_more_than_a_burst() -> None:
    """A night's silence does not buy a flood."""
    clock = Clock()
    limit = RateLimit(1.0, 2, clock=clock)
    limit.take("ada")
    clock.now += 36_000
    assert [limit.take("ada") == 0 for _ in range(4)] == [True, True, False, False]


def test_no_rate_is_no_limit() -> None:
    """0 switches it off."""
    limit = RateLimit(0, 1, clock=Clock())
    assert not any(limit.take("ada") for _ in range(1000))


def test_only_the_latest_visitors_are_remembered() -> None:
    """A flood of addresses does not fill the memory."""
    limit = RateLimit(1.0, 1, clock=Clock(), remembered=2)
    for visitor in ("ada", "bob", "eve"):
        limit.take(visitor)
    assert limit.take("eve") > 0
    assert limit.take("ada") == 0


@given(waits=st.lists(st.floats(0, 5), max_size=60), rate=st.floats(0.1, 10), burst=st.integers(1, 10))
def test_never_more_than_burst_and_rate_allow(waits: list[float], rate: float, burst: int) -> None:
    """However the requests are spread, those let in are at most burst + rate x time."""
    clock = Clock()
    limit = RateLimit(rate, burst, clock=clock)
    let_in = 0
    for wait in waits:
        clock.now += wait
        let_in += limit.take("ada") == 0
    assert let_in <= burst + rate * sum(waits) + 1e-6


def test_as_many_at_work_as_allowed() -> None:
    """The third is refused while two are at work, another visitor is not, and a place is free again afterwards."""
    limit = ConcurrencyLimit(2)
    with limit.admit("ada"):
        with limit.admit("ada"):
            with refused("2"), limit.admit("ada"):
                pass
            with limit.admit("bob"):
                pass
        with limit.admit("ada"):
            pass


def test_a_request_that_fails_frees_its_place() -> None:
    """An error does not lock a visitor out."""
    limit = ConcurrencyLimit(1)
    with pytest.raises(KeyError), limit.admit("ada"):
        raise KeyError
    with limit.admit("ada"):
        pass

"""Two things at once: each on its own cores, and nobody else notices."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
import torch

from mmner_core.runtime.available_cores import side_by_side


@pytest.fixture(params=[1, 2, 4])
def cores(request: pytest.FixtureRequest) -> Iterator[int]:
    """Let torch compute on so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


def test_each_call_has_cores_of_its_own(cores: int) -> None:
    """One for the call aside, the others for the one here; together no more than there are."""
    aside, here = side_by_side(torch.get_num_threads, torch.get_num_threads)
    assert (aside, here) == ((1, cores - 1) if cores > 1 else (1, 1))
    assert torch.get_num_threads() == cores


def test_other_threads_keep_their_cores(cores: int) -> None:
    """A thread that begins to compute meanwhile gets all of them."""
    seen: list[int] = []

    def begin() -> None:
        thread = Thread(target=lambda: seen.append(torch.get_num_threads()))
        thread.start()
        thread.join()

    side_by_side(begin, begin)
    assert seen == [cores, cores]


@pytest.mark.parametrize(("aside", "here", "told"), [("a", "", "a"), ("", "b", "b"), ("a", "b", "b")])
def test_an_error_is_told_and_the_cores_are_given_back(cores: int, aside: str, here: str, told: str) -> None:
    """Of two errors the one here is told, as if it had been tried first."""

    def fail(reason: str) -> None:
        if reason:
            raise ValueError(reason)

    with pytest.raises(ValueError, match=f"^{told}$"):
        side_by_side(lambda: fail(aside), lambda: fail(here))
    assert torch.get_num_threads() == cores

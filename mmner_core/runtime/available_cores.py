"""Runs two functions side by side, each on processor cores of its own.

torch shares every operation out among all cores, which brings little where an operation is small; and what it does in
two threads at once then runs on twice as many threads as there are cores.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TYPE_CHECKING, TypeVar

import torch

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

A = TypeVar("A")
B = TypeVar("B")


def side_by_side(aside: Callable[[], A], here: Callable[[], B]) -> tuple[A, B]:
    """Run ``aside`` on one core in another thread and ``here`` on the other cores; return both results.

    One after the other where there is one core only. If both fail, the error is that of ``here``.
    """
    cores = torch.get_num_threads()
    if cores < 2:
        result = here()
        return aside(), result
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(_on, 1, aside)
        result = _on(cores - 1, here)
        return future.result(), result


def _on(cores: int, work: Callable[[], A]) -> A:
    """Run work with this number of OpenMP threads; other threads of this process keep theirs."""
    torch.get_num_threads()  # a thread's number is set when it is first asked for, and must not be set later
    with _openmp().limit(limits=cores, user_api="openmp"):
        return work()


@cache
def _openmp() -> ThreadpoolController:
    """Find the OpenMP library that torch has loaded."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()

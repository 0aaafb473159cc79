"""Group the requests that wait: whatever came while the last group was at work is answered in one pass."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Generic, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class MicroBatcher(Generic[Q, A]):
    """Answers requests of many threads in groups, from one thread of its own.

    A request that finds the thread idle is answered at once and alone, so nobody waits for a group to fill.

    Args:
        run: answers a group, one answer for each request in order.
        max_size: most requests in a group.
        name: of the thread.
    """

    def __init__(self, run: Callable[[Sequence[Q]], Sequence[A]], *, max_size: int, name: str = "batcher") -> None:
        self._run = run
        self._max_size = max_size
        self._waiting: deque[tuple[Q, Future[A]]] = deque()
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, request: Q) -> Future[A]:
        """Hand a request in; the future holds its answer, or what was raised for it.

        Raises:
            RuntimeError: after :meth:`close`.
        """
        future: Future[A] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._waiting.append((request, future))
            self._changed.notify()
        return future

    @property
    def alive(self) -> bool:
        """Return whether requests are answered."""
        return self._thread.is_alive()

    def close(self) -> None:
        """Answer what waits, then stop."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()

    def _work(self) -> None:
        while group := self._next_group():
            self._answer([(request, future) for request, future in group if future.set_running_or_notify_cancel()])

    def _next_group(self) -> list[tuple[Q, Future[A]]]:
        """Wait for requests; return the oldest of them, none once there are no more to come."""
        with self._changed:
            self._changed.wait_for(lambda: self._waiting or self._closed)
            return [self._waiting.popleft() for _ in range(min(self._max_size, len(self._waiting)))]

    def _answer(self, group: Sequence[tuple[Q, Future[A]]]) -> None:
        if not group:
            return
        try:
            answers = self._run([request for request, _ in group])
            if len(answers) != len(group):
                raise RuntimeError(f"{len(answers)} answers to {len(group)} requests")
        except Exception as error:
            if len(group) == 1:
                group[0][1].set_exception(error)
                return
            for one in group:  # a request that fails must not take its neighbours with it
                self._answer([one])
            return
        for (_, future), answer in zip(group, answers, strict=True):
            future.set_result(answer)

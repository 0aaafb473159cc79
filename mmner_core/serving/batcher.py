"""Group the requests that wait: what came while the last group was at work is answered in one pass, senders in turn."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Generic, NamedTuple, TypeVar

Q = TypeVar("Q")
A = TypeVar("A")


class _Waiting(NamedTuple, Generic[Q, A]):
    """A request in line."""

    request: Q
    future: Future[A]
    weight: float


class MicroBatcher(Generic[Q, A]):
    """Answers requests of many threads in groups, from one thread of its own.

    A request that finds the thread idle is answered at once and alone, so nobody waits for a group to fill. Of several
    senders each has one in turn, so nobody waits for all that another sent before.

    Args:
        run: answers a group, one answer for each request in order.
        max_size: most requests in a group.
        max_weight: of a group together; a heavier request is answered alone.
        name: of the thread.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Q]], Sequence[A]],
        *,
        max_size: int,
        max_weight: float = float("inf"),
        name: str = "batcher",
    ) -> None:
        self._run = run
        self._max_size = max_size
        self._max_weight = max_weight
        self._lines: OrderedDict[str | None, deque[_Waiting[Q, A]]] = OrderedDict()  # whose turn it is first
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, request: Q, *, sender: str | None = None, weight: float = 1.0) -> Future[A]:
        """Hand a request in; the future holds its answer, or what was raised for it.

        Args:
            request: what to answer.
            sender: for whom.
            weight: how much work it is.

        Raises:
            RuntimeError: after :meth:`close`.
        """
        future: Future[A] = Future()
        with self._changed:
            if self._closed:
                raise RuntimeError("The batcher is closed.")
            self._lines.setdefault(sender, deque()).append(_Waiting(request, future, weight))
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
            self._answer([(w.request, w.future) for w in group if w.future.set_running_or_notify_cancel()])

    def _next_group(self) -> list[_Waiting[Q, A]]:
        """Wait for requests; return the oldest of each sender in turn, none once there are no more to come."""
        group: list[_Waiting[Q, A]] = []
        weight = 0.0
        with self._changed:
            self._changed.wait_for(lambda: self._lines or self._closed)
            while self._lines and len(group) < self._max_size:
                sender, line = next(iter(self._lines.items()))
                weight += line[0].weight
                if group and weight > self._max_weight:
                    break
                group.append(line.popleft())
                if line:
                    self._lines.move_to_end(sender)
                else:
                    del self._lines[sender]
        return group

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

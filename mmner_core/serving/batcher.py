"""Batches waiting requests: those that arrive during one pass are answered together in the next, senders in turn."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future
from threading import Condition, Thread
from typing import Generic, NamedTuple, TypeVar

from mmner_core.inference.pieces import Pieces
from mmner_core.serving.fair_queue import FairQueue

Q = TypeVar("Q")
A = TypeVar("A")


class _Waiting(NamedTuple, Generic[Q, A]):
    """A request in line for a group."""

    request: Q
    future: Future[A]
    weight: float


class _Heavy(NamedTuple, Generic[A]):
    """A request that is answered in pieces, and the pieces that are left."""

    future: Future[A]
    pieces: Pieces[A]


class MicroBatcher(Generic[Q, A]):
    """Answers requests of many threads in groups, from one thread of its own.

    A request that finds the thread idle is answered at once and alone, so nobody waits for a group to fill. Of several
    senders each has one in turn, so nobody waits for all that another sent before.

    What is too heavy for a group is answered in pieces, of each sender's first in turn. After a piece comes a group of
    whatever else waits, and after a group a piece: neither keeps the other waiting for longer.

    Args:
        run: answers a group, one answer for each request in order.
        max_size: most requests in a group.
        run_in_pieces: answers a heavy request.
        max_weight: of a group together; a request beyond it is heavy.
        name: of the thread.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Q]], Sequence[A]],
        *,
        max_size: int,
        run_in_pieces: Callable[[Q], Pieces[A]],
        max_weight: float,
        name: str = "batcher",
    ) -> None:
        self._run = run
        self._run_in_pieces = run_in_pieces
        self._max_size = max_size
        self._max_weight = max_weight
        self._light: FairQueue[_Waiting[Q, A]] = FairQueue()
        self._heavy: FairQueue[_Heavy[A]] = FairQueue()
        self._changed = Condition()
        self._closed = False
        self._thread = Thread(target=self._work, name=name, daemon=True)
        self._thread.start()

    def submit(self, request: Q, *, sender: str | None = None, weight: float = 1.0) -> Future[A]:
        """Hand a request in; the future holds its answer, or what was raised for it.

        A future can be cancelled until the request is taken into a group; that of a heavy one until it is answered.

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
            if weight > self._max_weight:
                self._heavy.join(sender, _Heavy(future, self._run_in_pieces(request)))
            else:
                self._light.join(sender, _Waiting(request, future, weight))
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
        while self._wait():
            self._answer([(w.request, w.future) for w in self._next_group() if w.future.set_running_or_notify_cancel()])
            self._go_on()

    def _wait(self) -> bool:
        """Wait for requests; return false once there are none and no more will come."""
        with self._changed:
            self._changed.wait_for(lambda: self._light or self._heavy or self._closed)
            return bool(self._light or self._heavy)

    def _next_group(self) -> list[_Waiting[Q, A]]:
        """Return the oldest of each sender in turn, as many as fit into a group."""
        group: list[_Waiting[Q, A]] = []
        weight = 0.0
        with self._changed:
            while self._light and len(group) < self._max_size:
                weight += self._light.first.weight
                if group and weight > self._max_weight:
                    break
                group.append(self._light.take())
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

    def _go_on(self) -> None:
        """Do a piece of the heavy request whose turn it is, if there is one."""
        with self._changed:
            if not self._heavy:
                return
            heavy = self._heavy.first
        over = _do_piece(heavy)
        with self._changed:
            if over:
                self._heavy.take()
            else:
                self._heavy.pass_on()


def _do_piece(heavy: _Heavy[A]) -> bool:
    """Do a piece; return whether it was the last: the answer is there, has failed, or is no longer wanted."""
    future = heavy.future
    try:
        if not future.cancelled():
            next(heavy.pieces)
            return False
        future.set_running_or_notify_cancel()
    except StopIteration as done:
        if future.set_running_or_notify_cancel():
            future.set_result(done.value)
    except Exception as error:
        if future.set_running_or_notify_cancel():
            future.set_exception(error)
    return True

"""Watches the queue's tasks and the models' threads, and restarts one that died."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

log = logging.getLogger(__name__)
EVERY = 0.5  # seconds between two looks
STALL = 30.0  # seconds that a request may wait while there is room for it
MOST_RESTARTS = 5
WITHIN = 60.0
QUEUE_DEAD = "The queue of requests does not run; it is being started again."
MODEL_DEAD = "The model gives no answers."
LOST = "Your request was lost when the server had to start its queue again; please send it once more."
_LOOP = "Queue.start_processing"
_PROGRESS = "Queue.start_progress_updates"
_JOB = "Queue.process_events"  # of gradio's queue, or one made of it


class Watchdog:
    """Keeps the web framework's queue running.

    Attributes:
        trouble: why no answers are given at the moment; empty: they are.
        gave_up: whether the process was told to end.

    Args:
        model_alive: says whether the models' threads are at work.
        lost: makes the message that tells a visitor that a request was lost, of its ``event_id``.
        give_up: ends the process; called when the queue dies again and again.
        every: seconds between two looks.
    """

    def __init__(
        self,
        *,
        model_alive: Callable[[], bool] = lambda: True,
        lost: Callable[..., Any] | None = None,
        give_up: Callable[[], None] = lambda: None,
        every: float = EVERY,
    ) -> None:
        self._model_alive = model_alive
        self._lost = lost
        self._give_up = give_up
        self.gave_up = False
        self._every = every
        self._queue: Any = None
        self._queue_dead = False
        self._restarts: deque[float] = deque()
        self._head: Any = None
        self._head_since = 0.0

    @property
    def trouble(self) -> str:
        """Return why no answers are given at the moment; empty if they are."""
        if self._queue_dead or (self._queue is not None and self._queue.stopped):
            return QUEUE_DEAD
        return "" if self._model_alive() else MODEL_DEAD

    async def watch(self, application: Any) -> None:
        """Look again and again until the task is cancelled."""
        while True:
            await asyncio.sleep(self._every)
            try:
                await self._look(application)
            except Exception:
                log.exception("the watchdog failed; it goes on")

    async def _look(self, application: Any) -> None:
        blocks = application.get_blocks()
        if not (application.startup_events_triggered and blocks.is_running):  # not started yet, or being stopped
            return
        queue = self._queue = blocks._queue
        running = _running()
        if _LOOP not in running or queue.stopped:
            await self._restart(queue, "its loop ended")
        elif self._stalls(queue):
            await self._restart(queue, f"it left a request waiting for {STALL:.0f} s although there was room")
        else:
            self._queue_dead = False
            if _PROGRESS not in running:
                log.error("the queue's task for progress messages ended; it is started again")
                _start(queue.start_progress_updates())
        for line in queue.event_queue_per_concurrency_id.values():  # a job cut short by a restart ends later
            line.current_concurrency = max(0, line.current_concurrency)

    def _stalls(self, queue: Any) -> bool:
        """Return whether the same request has waited for long although it could be started."""
        waiting = queue.startable() if None in queue.active_jobs else None
        if waiting is None or waiting is not self._head:
            self._head, self._head_since = waiting, time.monotonic()
        return waiting is not None and time.monotonic() - self._head_since > STALL

    async def _restart(self, queue: Any, reason: str) -> None:
        self._queue_dead = True
        now = time.monotonic()
        self._restarts.append(now)
        while now - self._restarts[0] > WITHIN:
            self._restarts.popleft()
        if len(self._restarts) > MOST_RESTARTS:
            log.critical("the queue died %d times in %.0f s; the server ends", len(self._restarts), WITHIN)
            self.gave_up = True
            self._give_up()
            return
        log.error("the queue of requests died (%s); it is started again", reason)
        queue.stopped = True  # ends what of it still runs
        tasks = [task for task in asyncio.all_tasks() if _name(task).endswith((_LOOP, _PROGRESS, _JOB))]
        for task in tasks:
            task.cancel()
        if tasks:
            await asyncio.wait(tasks, timeout=5)  # a model's pass cannot be cut short
        for line in queue.event_queue_per_concurrency_id.values():
            line.current_concurrency = 0
            line.start_times_per_fn.clear()
        queue.start()
        queue.stopped = False
        self._tell_lost(queue)

    def _tell_lost(self, queue: Any) -> None:
        """Answer the requests that were being processed, which would wait for ever otherwise."""
        if self._lost is None:
            return
        waiting = {event._id for line in queue.event_queue_per_concurrency_id.values() for event in line.queue}
        for session, events in queue.pending_event_ids_session.items():
            messages = queue.pending_messages_per_session.get(session)
            if messages is None:
                continue
            done = {message.event_id for message in messages._queue if message.msg == "process_completed"}
            for event in events - waiting - done:
                messages.put_nowait(self._lost(event_id=event))


def _running() -> set[str]:
    return {_name(task) for task in asyncio.all_tasks() if not task.done()}


def _name(task: asyncio.Task[Any]) -> str:
    return getattr(task.get_coro(), "__qualname__", "")


def _start(work: Any) -> None:
    _tasks.add(task := asyncio.get_running_loop().create_task(work))
    task.add_done_callback(_tasks.discard)


_tasks: set[asyncio.Task[Any]] = set()  # the event loop itself keeps no hold of them

"""Bounds on what gradio keeps and does for visitors, where it has no setting for one.

These lean on the inside of the pinned gradio: its queue, the form parser of its uploads, what it keeps of a visit.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from gradio import Blocks, queueing, route_utils, routes
from gradio.server_messages import ProcessCompletedMessage
from gradio.state_holder import StateHolder
from gradio.utils import LRUCache, run_coro_in_background
from uvicorn.config import HTTP_PROTOCOLS

from mmner_core.serving.config import ServingConfig
from mmner_core.serving.connections import limited_protocol
from mmner_core.serving.fair_cache import first_of_most
from mmner_core.serving.gate import BUSY
from mmner_core.serving.upload_gate import note_written
from mmner_core.serving.visitor import UNKNOWN, acting_for, current_visitor, visitor_of, working_for

IN_TURN = "in turn"
"""Concurrency id of handlers whose events are answered one after the other within a visit, but not among visits."""
LOOK_SECONDS = 1.0
_SESSIONS = 2000
_UPLOADS = 500
_FILES = 8  # in one form; page and programs send one
_PER_SESSION = 32_000  # bytes: what is kept for an answer besides its text
_PER_CHARACTER = 4  # bytes: small objects of Python take more than they look


class Mailbox(asyncio.Queue[Any]):
    """The messages that a session has not fetched yet; knows their owner, size and age."""

    def __init__(self) -> None:
        super().__init__()
        self._sizes: deque[int] = deque()
        self.owner = UNKNOWN
        self.bytes = _PER_SESSION
        self.touched = time.monotonic()

    async def get(self) -> Any:
        """Wait for the next message; while somebody waits, the mailbox does not count as abandoned."""
        self.touched = time.monotonic()
        return await super().get()

    def _put(self, item: Any) -> None:
        self._sizes.append(_PER_CHARACTER * len(repr(getattr(item, "output", ""))))
        self.bytes += self._sizes[-1]
        self.touched = time.monotonic()
        super()._put(item)

    def _get(self) -> Any:
        self.bytes -= self._sizes.popleft()
        self.touched = time.monotonic()
        return super()._get()


class _Mailboxes(LRUCache[str, Any]):
    """gradio's mapping of sessions to queues, with mailboxes; beyond a limit, a session without open events is dropped.

    Of these an empty one, if there is any, and the one that nothing was put into or fetched from for longest.

    Args:
        most: sessions.
        awaited: returns those for which events wait or are at work.
    """

    def __init__(self, most: int, awaited: Callable[[], set[str]]) -> None:
        super().__init__(most)
        self._awaited = awaited

    def __setitem__(self, session: str, _: Any) -> None:
        if session not in self and len(self) >= self.max_size:
            idle = self.keys() - self._awaited() or self.keys()
            self.pop(min(idle, key=lambda name: (not self[name].empty(), self[name].touched)))
        super().__setitem__(session, Mailbox())


class FairEventQueue(queueing.Queue):
    """Answers visitors in turn, and gives up answers that nobody fetches.

    Args:
        plain: the queue that gradio made, with its settings.
        config: what one visitor may have waiting and at work, how long and how big unfetched answers may be.
    """

    def __init__(self, plain: queueing.Queue, config: ServingConfig) -> None:
        super().__init__(
            live_updates=plain.live_updates,
            concurrency_count=plain.max_thread_count,
            update_intervals=plain.update_intervals,
            max_size=plain.max_size,
            blocks=plain.blocks,
            default_concurrency_limit=plain.default_concurrency_limit,
        )
        self.pending_messages_per_session = _Mailboxes(_SESSIONS, self._awaited)
        self.ANALYTICS_MAX_EVENTS = 1  # each answer would be followed by a table of the last 10,000
        self._waiting = min(config.visitor_waiting, max(1, config.queue_size // 2))
        self._at_work = config.visitor_concurrency
        self._seconds = 60 * config.answer_minutes
        self._tidying: asyncio.Task[None] | None = None
        self._each, self._all = 1e6 * config.visitor_answers_mb, 1e6 * config.answers_mb

    def start(self) -> None:
        """Begin to answer."""
        super().start()
        if self._tidying is None or self._tidying.done():  # the watchdog may start the queue anew
            self._tidying = run_coro_in_background(self._keep_tidy)

    def set_server_app(self, app: routes.App) -> None:
        """Take the application; its visits are forgotten in fairness, too."""
        if not isinstance(app.state_holder, FairStates):
            app.state_holder = FairStates()
            app.state_holder.set_blocks(app.get_blocks())
        super().set_server_app(app)

    def compute_analytics_summary(self, records: Any) -> Any:  # noqa: ARG002 (gradio's signature)
        """Return nothing, since nobody is shown these figures."""
        return {"functions": {}}

    async def push(self, body: Any, request: Any, username: str | None) -> Any:
        """Queue an event, unless its visitor has as many waiting as allowed."""
        visitor = visitor_of(request.scope)
        waiting = Counter(visitor_of(event.request.scope) for event in self._in_line())
        if waiting[visitor] >= self._waiting:
            return False, "As many of your requests as allowed wait already.", "queue_full"
        if self.max_size is not None and len(self) >= self.max_size:
            self._make_room(waiting, waiting[visitor])
        pushed = await super().push(body, request, username)
        if (box := self.pending_messages_per_session.get(body.session_hash)) is not None:
            box.owner = visitor
        return pushed

    def _in_line(self) -> list[queueing.Event]:
        """Return the events that wait."""
        return [event for line in self.event_queue_per_concurrency_id.values() for event in line.queue]

    def _make_room(self, waiting: Counter[str], own: int) -> None:
        """Refuse the last event of whoever has most waiting, if that is more than the newcomer will have."""
        greedy, most = waiting.most_common(1)[0]
        if most <= own + 1:
            return
        last = [event for event in self._in_line() if visitor_of(event.request.scope) == greedy][-1]
        self.event_queue_per_concurrency_id[last.concurrency_id].queue.remove(last)
        self.send_message(last, ProcessCompletedMessage(output={"error": BUSY}, success=False))

    def _awaited(self) -> set[str]:
        """Return the sessions whose events wait or are at work."""
        at_work = [event for job in self.active_jobs if job for event in job]
        return {event.session_hash for event in (*self._in_line(), *at_work)}

    def send_message(self, event: queueing.Event, event_message: Any) -> None:
        """Send a message to a session, unless it is given up."""
        if event.session_hash in self.pending_messages_per_session:
            super().send_message(event, event_message)

    def get_events(self) -> tuple[list[queueing.Event], bool, str] | None:
        """Return the next event to answer: the oldest of the visitor who has the fewest at work."""
        event = self.startable()
        if event is None:
            return None
        self.event_queue_per_concurrency_id[event.concurrency_id].queue.remove(event)
        return [event], event.fn.batch, event.concurrency_id

    def startable(self) -> queueing.Event | None:
        """Return the event that is to be answered next, None while there is none or no room for one."""
        at_work = [event for job in self.active_jobs if job for event in job]
        for line in self.event_queue_per_concurrency_id.values():
            if line.concurrency_limit is None or line.current_concurrency < line.concurrency_limit:
                event = self._next_of(line, at_work)
                if event is not None:
                    return event
        return None

    async def process_events(self, events: list[queueing.Event], *rest: Any, **options: Any) -> None:
        """Answer an event on behalf of its visitor, and of the user who asked."""
        with working_for(visitor_of(events[0].request.scope)), acting_for(events[0].username):
            await super().process_events(events, *rest, **options)

    def _next_of(self, line: queueing.EventQueue, at_work: list[queueing.Event]) -> queueing.Event | None:
        total = Counter(visitor_of(event.request.scope) for event in at_work)
        same = [event for event in at_work if event.concurrency_id == line.concurrency_id]
        here = Counter(visitor_of(event.request.scope) for event in same)
        sessions = {event.session_hash for event in same} if line.concurrency_id == IN_TURN else set()
        most = self._at_work if line.concurrency_limit is None else max(1, line.concurrency_limit // 2)
        may = []
        for event in line.queue:
            visitor = visitor_of(event.request.scope)
            if total[visitor] < self._at_work and here[visitor] < most and event.session_hash not in sessions:
                may.append((here[visitor], event))
        return min(may, key=lambda pair: pair[0])[1] if may else None  # the first of equals is the oldest

    async def _keep_tidy(self) -> None:
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for session in self._given_up():
                await self.clean_events(session_hash=session)
                self.pending_messages_per_session.pop(session, None)
                self.pending_event_ids_session.pop(session, None)

    def _given_up(self) -> list[str]:
        """Return the sessions whose answers are too old, or that exceed their owner's share or the total."""
        now = time.monotonic()
        boxes = dict(sorted(self.pending_messages_per_session.items(), key=lambda pair: pair[1].touched))
        gone = [name for name, box in boxes.items() if now - box.touched > self._seconds]
        gone += [name for name in self.pending_event_ids_session if name not in boxes]  # gradio forgets those
        held = Counter[str]()
        for name in gone:
            boxes.pop(name, None)
        for box in boxes.values():
            held[box.owner] += box.bytes
        for name, box in boxes.items():  # the longest untouched first
            if held[box.owner] > self._each or (held.total() > self._all and held[box.owner] == max(held.values())):
                gone.append(name)
                held[box.owner] -= box.bytes
        return gone


class FairBlocks(Blocks):
    """A page whose visitors are answered in turn.

    Args:
        settings: see :class:`FairQueue`.
        options: gradio's own.
    """

    def __init__(self, settings: ServingConfig, **options: Any) -> None:
        self._settings = settings  # gradio makes a first queue while it is built
        super().__init__(**options)

    def queue(self, *values: Any, **options: Any) -> Any:
        """Queue events fairly among visitors."""
        super().queue(*values, **options)
        self._queue = FairEventQueue(self._queue, self._settings)
        return self


class FairStates(StateHolder):
    """Keeps the latest visits; beyond a limit, the oldest of whoever has the most is dropped."""

    def __init__(self) -> None:
        super().__init__()
        self._owners: dict[str, str | None] = {}

    def update(self, session_id: str) -> None:
        """Note that a visit goes on."""
        with self.lock:
            self._owners.setdefault(session_id, current_visitor())
            if session_id in self.session_data:
                self.session_data.move_to_end(session_id)
            while len(self.session_data) > self.capacity:
                evicted = first_of_most({session: self._owners.get(session) for session in self.session_data})
                del self.session_data[evicted]
                self.time_last_used.pop(evicted, None)
                self._owners.pop(evicted, None)


class ForgetfulProgress(route_utils.FileUploadProgress):
    """gradio's notes on uploads at work, without those of uploads that never came or that nobody asked about."""

    def track(self, upload_id: str) -> None:
        """Start tracking an upload; beyond a limit, the oldest is dropped."""
        if upload_id not in self._statuses and len(self._statuses) >= _UPLOADS:
            oldest = next(iter(self._statuses))
            self._statuses.pop(oldest)
            self._signals.pop(oldest, None)
        super().track(upload_id)

    async def is_tracked(self, upload_id: str) -> bool:
        """Wait until an upload begins."""
        try:
            return await super().is_tracked(upload_id)
        finally:
            if upload_id not in self._statuses:
                self._signals.pop(upload_id, None)


class NotedForm(route_utils.GradioMultiPartParser):
    """gradio's form parser, which reports each file that it writes to our gate, so that none is left behind."""

    def __init__(self, *values: Any, **options: Any) -> None:
        super().__init__(*values, **options | {"max_files": _FILES, "max_fields": _FILES})

    def on_headers_finished(self) -> None:
        """Begin a part of the form."""
        super().on_headers_finished()
        if self._current_part.file is not None:
            note_written(self._files_to_close_on_error[-1])


def bound_server(config: ServingConfig) -> None:
    """Have gradio parse forms with our parser and serve on connections of ours; it takes neither as an argument."""
    for module in (route_utils, routes):
        setattr(module, "GradioMultiPartParser", NotedForm)  # noqa: B010 (one of them does not export it)
    routes.file_upload_statuses = ForgetfulProgress()
    HTTP_PROTOCOLS["auto"] = limited_protocol(config)  # type: ignore[assignment]

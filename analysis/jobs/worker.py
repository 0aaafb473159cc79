"""The queue: one run at a time, in a process of its own; what a server left undone, the next takes up again."""

from __future__ import annotations

import logging
import subprocess
import time
from pathlib import Path
from threading import Condition, Thread

from analysis.jobs.commands import run_command
from analysis.jobs.job import PROGRESS, Choices, Job, read_description
from analysis.jobs.models import Models
from analysis.jobs.process import end, end_abandoned, last_words, process_environment, resident_bytes, start
from analysis.jobs.store import JobStore, folder_bytes
from mmner_core.errors import InputError
from mmner_core.serving.faults import user_message

log = logging.getLogger(__name__)
_LOOK_SECONDS = 0.25
_MEASURE_SECONDS = 10.0
_MEMORY_SECONDS = 1.0
_INPUT_ERROR = 2
_GOES_ON = "What is finished stays: “Go on” takes it up there."


class JobWorker:
    """Makes the runs that were asked for, in the order in which they were.

    Args:
        store: the jobs.
        models: to make runs with.
    """

    def __init__(self, store: JobStore, models: Models) -> None:
        self.store, self.models = store, models
        self._changed = Condition()
        self._thread: Thread | None = None
        self._stopping = False
        self._unwanted: set[str] = set()

    def start(self) -> None:
        """Take up what an earlier server left, if there is anything, and begin to wait for jobs."""
        if not self.store.folder.is_dir():
            return  # nobody has asked for a run yet
        self._begin()

    def submit(self, job: Job, choices: Choices) -> Job:
        """Put a job in the queue; see :meth:`JobStore.ask` for what is refused."""
        job = self.store.ask(job, choices)
        self._begin()
        with self._changed:
            self._changed.notify_all()
        return job

    def cancel(self, job: Job, patience: float = 30.0) -> None:
        """Take a job out of the queue, or stop it; what is finished of it stays."""
        with self._changed:
            now = next((other for other in self.store.all() if other.id == job.id), job)
            if now.state == "waiting":
                self.store.change(now, state="cancelled", ended=time.time())
                return
            if now.state != "running":
                return
            self._unwanted.add(job.id)
            self._changed.wait_for(lambda: job.id not in self._unwanted, timeout=patience)

    def ahead_of(self, job: Job) -> int:
        """Return how many jobs are done before a waiting one begins."""
        return sum(o.state == "running" or (o.state == "waiting" and o.asked < job.asked) for o in self.store.all())

    def stop(self) -> None:
        """Stop the job at work, which the next server takes up again."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        if self._thread is not None:
            self._thread.join()
        self.store.close()

    def _begin(self) -> None:
        with self._changed:
            if self._thread is not None or self._stopping:
                return
            self.store.open()
            for job in self.store.all():
                if job.state == "running":
                    end_abandoned(self.store.path(job), job.pid)
                    self.store.change(job, state="waiting", pid=0)
            self._thread = Thread(target=self._work, name="make-runs", daemon=True)
            self._thread.start()

    def _work(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or self._next() is not None)
                job = self._next()
                if self._stopping or job is None:
                    return
                job = self.store.change(job, state="running", started=time.time(), ended=0.0)
            try:
                self._make(job)
            except Exception as error:  # the next job is another user's
                log.error("a run could not be made", exc_info=error)
                self._end(job, "failed", "The run could not be started; the server's log has the details.")
            finally:
                with self._changed:
                    self._unwanted.discard(job.id)
                    self._changed.notify_all()

    def _next(self) -> Job | None:
        waiting = [job for job in self.store.all() if job.state == "waiting"]
        return min(waiting, key=lambda job: job.asked, default=None)

    def _make(self, job: Job) -> None:
        """Make a run, or as much of it as there is time for."""
        folder = self.store.path(job)
        assert job.choices is not None, "a job in the queue has choices"  # noqa: S101
        (folder / PROGRESS).unlink(missing_ok=True)
        try:
            arguments = run_command(folder, job.choices, read_description(folder), self.models, job.language)
            own_code = job.choices.model in self.models.own
            process = start(arguments, folder, process_environment(folder, own_code=own_code))
        except (InputError, OSError, ValueError) as error:
            self._end(job, "failed", f"The run could not be started: {user_message(InputError(str(error)))}")
            return
        job = self.store.change(job, pid=process.pid)
        problem = self._watch(job, process, folder)
        if self._stopping and problem is None and process.returncode:
            return  # the state stays: the next server goes on
        if job.id in self._unwanted:
            self._end(job, "cancelled", "")
        elif problem is not None:
            self._end(job, "failed", f"{problem} {_GOES_ON}")
        elif process.returncode == 0 and self.store.run_of(job).is_dir():
            self._end(job, "finished", "")
        else:
            self._end(job, "failed", _told(process.returncode, folder))

    def _watch(self, job: Job, process: subprocess.Popen[bytes], folder: Path) -> str | None:
        """Wait for a program; end it when it is unwanted, or takes too much time, memory or room, and say why."""
        limits, begun = self.store.limits, time.monotonic()
        measured = weighed = begun
        room = self.store.allowed_bytes(job)
        problem = None
        while process.poll() is None:
            with self._changed:
                self._changed.wait_for(lambda: self._stopping or job.id in self._unwanted, timeout=_LOOK_SECONDS)
            if time.monotonic() - begun > limits.seconds:
                problem = f"The run took longer than the {limits.seconds / 60:g} minutes that this server allows."
            elif time.monotonic() - weighed > _MEMORY_SECONDS:
                weighed = time.monotonic()
                if resident_bytes(process.pid) > limits.memory:
                    problem = f"The run took more than the {limits.memory / 1e6:,.0f} MB of memory that a run may hold."
            elif time.monotonic() - measured > _MEASURE_SECONDS:
                measured = time.monotonic()
                if folder_bytes(folder) > room:
                    problem = f"The run took more than the {room / 1e6:,.0f} MB of disk that are left for it."
            if problem is not None or self._stopping or job.id in self._unwanted:
                end(process.pid, lambda: process.poll() is not None)
                process.wait()
        return problem

    def _end(self, job: Job, state: str, problem: str) -> None:
        self.store.change(job, state=state, problem=problem, ended=time.time(), pid=0)
        self.store.measure(job)


def _told(code: int, folder: Path) -> str:
    """Return why a run failed: its own sentence, or how its process ended."""
    if code == _INPUT_ERROR and (said := last_words(folder)):
        return user_message(InputError(said))
    how = f"with signal {-code}" if code < 0 else f"with code {code}"
    often = ", as happens where memory runs out" if code == -9 else ""
    return f"The process of the run ended {how}{often}. {_GOES_ON}"

"""Shows how far a long job is: a bar on a terminal, and a small file for the program that started it.

The file, named by the environment variable ``MMNER_PROGRESS``, holds one JSON object and is replaced as a whole.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mmner_core.runtime.atomic import atomic_write

PROGRESS_FILE = "MMNER_PROGRESS"
_SECONDS = 0.5


class Progress:
    """How far a stage of a job is.

    Args:
        stage: its name.
        total: steps in all; 0 where they cannot be counted.
        done: steps done before, as in a job that goes on where it was.
        bar: the bar on the terminal.
    """

    def __init__(self, stage: str, total: int = 0, done: int = 0, bar: Any = None) -> None:
        named = os.environ.get(PROGRESS_FILE)
        self._file = Path(named) if named else None
        self._record = {"stage": stage, "total": total, "first": done, "since": time.time()}
        self._total, self._done, self._bar = total, done, bar
        self._written = 0.0
        self._write()
        self._written = 0.0  # the first step is news in any case

    def update(self, steps: int = 1) -> None:
        """Count steps that are done."""
        self._done += steps
        if self._bar is not None:
            self._bar.update(steps)
        if time.monotonic() - self._written > _SECONDS or self._done >= self._total:
            self._write()

    def _write(self) -> None:
        if self._file is None:
            return
        self._written = time.monotonic()
        # A job is worth more than the news of it.
        with contextlib.suppress(OSError), atomic_write(self._file) as part:
            part.write_text(json.dumps({**self._record, "done": self._done, "at": time.time()}), encoding="utf-8")


def begin_stage(stage: str) -> None:
    """Report that a job has reached a stage whose steps are not counted."""
    Progress(stage)


@contextmanager
def progress_bar(
    stage: str, total: int, *, done: int = 0, unit: str = "it", quiet: bool | None = None
) -> Iterator[Progress]:
    """Yield the counter of a stage's steps.

    Args:
        stage: its name.
        total: steps in all.
        done: steps done before.
        unit: what a step is called.
        quiet: True: no bar; None: a bar where standard error is a terminal.
    """
    from tqdm import tqdm

    with tqdm(total=total, initial=done, desc=stage, unit=f" {unit}", disable=quiet) as bar:
        yield Progress(stage, total, done, bar)

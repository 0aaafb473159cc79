"""Somebody who uses the app as it is meant to be while another does their worst."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.app.attacking import FILE, call, upload, visitor

TEXT = "Ada Lovelace met Grace Hopper in Berlin"
PATIENCE = 2.0  # seconds that /tag may take, on the median; on a slow machine five times what it took before


@dataclass
class Bystander:
    """Asks again and again.

    Attributes:
        seconds: of every answer.
        refused: what was told instead of an answer.
    """

    client: httpx.Client
    photo: bytes | None = None
    model: str = ""
    seconds: list[float] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def ask(self) -> None:
        """Ask once."""
        image = None
        if self.photo is not None:
            image = {"path": upload(self.client, "photo.jpg", self.photo).json()[0], **FILE}
        started = time.perf_counter()
        text = f"{TEXT} {len(self.seconds)}"
        fine, told = call(self.client, "tag", [text, image, "en", "", self.model])
        self.seconds.append(time.perf_counter() - started)
        if not fine:
            self.refused.append(told)

    def ask_until(self, stop: threading.Event) -> None:
        """Ask until told to stop, and at least three times."""
        while not stop.is_set() or len(self.seconds) < 3:
            try:
                self.ask()
            except httpx.HTTPError as error:
                self.refused.append(repr(error))
            stop.wait(0.1)


@contextmanager
def bystander(url: str, number: int, photo: bytes | None = None, model: str = "") -> Iterator[Bystander]:
    """Let somebody at 127.0.2.``number`` ask while the block runs; in the end they were answered, and soon."""
    stop = threading.Event()
    with visitor(url, number) as client:
        one = Bystander(client, photo, model)
        for _ in range(4):
            one.ask()
        quiet = statistics.median(one.seconds[1:])  # what is only loaded for the first question counts for nobody
        one.seconds.clear()
        thread = threading.Thread(target=one.ask_until, args=[stop])
        thread.start()
        try:
            yield one
        finally:
            stop.set()
            thread.join()
    assert one.refused == [], one.refused
    assert statistics.median(one.seconds) < max(PATIENCE, 5 * quiet), one.seconds

"""A small server's worth of runs: data sets, photos, and models of one's own that can be slow or fail."""

from __future__ import annotations

import time
import zipfile
from collections.abc import Callable
from pathlib import Path

from PIL import Image

from analysis.jobs.job import Job
from analysis.jobs.maker import RunMaker
from analysis.jobs.models import Models
from analysis.jobs.store import JobLimits, JobStore

PATIENCE = 120.0
MODEL = '''
"""Models for tests: names are capitalised words."""
import os
import time
from pathlib import Path


class Quick:
    types = ("PER", "LOC")
    reads_images = False

    def predict(self, items):
        with Path(os.environ["TEST_ASKED"]).open("a") as asked:
            asked.write("".join(item.words[-1] + "\\n" for item in items))
        return [["B-PER" if word[0].isupper() else "O" for word in item.words] for item in items]


class Slow(Quick):
    """Waits before it answers what comes after the first shard, until it is told to go on."""

    def predict(self, items):
        if any(item.words[-1] == "n70" for item in items):
            (Path(os.environ["TEST_ASKED"]).parent / "reached").touch()
            while not (Path(os.environ["TEST_ASKED"]).parent / "go").exists():
                time.sleep(0.05)
        return super().predict(items)


class Greedy(Quick):
    """Takes a gigabyte, and waits to be told to go on."""

    def predict(self, items):
        self.taken = b"x" * (1 << 30)
        while not (Path(os.environ["TEST_ASKED"]).parent / "go").exists():
            time.sleep(0.05)
        return super().predict(items)


class Broken(Quick):
    def predict(self, items):
        raise ValueError("no such luck")
'''


def write_models(folder: Path) -> None:
    """Write the module ``made_up`` with the models Quick, Slow, Greedy and Broken."""
    (folder / "made_up.py").write_text(MODEL)


def write_sentences(file: Path, n: int = 150, images: bool = False) -> Path:
    """Write sentences of three words, the last of which numbers them; every third names a photo, if wanted."""
    lines = []
    for i in range(n):
        lines += [f"IMGID:{i % 4}"] if images and i % 3 == 0 else []
        lines += [f"{'Ada' if i % 2 else 'Rome'}\t{'B-PER' if i % 2 else 'B-LOC'}", "saw\tO", f"n{i}\tO", ""]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(lines))
    return file


def write_photos(file: Path, broken: bool = False) -> Path:
    """Write a zip of three photos, 0 to 2, the last of which may be none."""
    file.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(file, "w") as archive:
        for i in range(3):
            photo = file.with_suffix(f".{i}.jpg")
            Image.new("RGB", (60, 40), (80 * i, 90, 200)).save(photo)
            archive.writestr(f"holiday/{i}.jpg", b"no photo" if broken and i == 2 else photo.read_bytes())
            photo.unlink()
    return file


def open_small_maker(folder: Path, models: Models | None = None, **limits: float) -> RunMaker:
    """Return what makes runs in a folder with the models for tests, within limits."""
    models = models or Models.of({}, [f"made_up:{name}" for name in ("Quick", "Slow", "Greedy", "Broken")])
    return RunMaker(JobStore(folder, JobLimits(**limits)), models, {})


def wait_until(true: Callable[[], bool]) -> None:
    """Wait for something.

    Raises:
        AssertionError: if it does not come true in time.
    """
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.05)


def now(maker: RunMaker, job: Job) -> Job:
    """Return a job as it is now."""
    return maker.store.find(job.owner, job.id)


def wait_for(maker: RunMaker, job: Job, *states: str) -> Job:
    """Wait until a job is in one of these states, and return it."""
    wait_until(lambda: now(maker, job).state in states)
    return now(maker, job)

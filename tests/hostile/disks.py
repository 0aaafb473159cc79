"""Disks that are full or read-only, really so: small file systems in memory."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


@contextmanager
def full_disk(folder: Path, room: int) -> Iterator[Path]:
    """Mount a file system with this many bytes, which only the system's administrator may; skip the test elsewhere."""
    folder.mkdir()
    _mount("-t", "tmpfs", "-o", f"size={room}", "tmpfs", str(folder))
    try:
        yield folder
    finally:
        subprocess.run(["umount", str(folder)], check=True)


@contextmanager
def read_only_disk(folder: Path, fill: Callable[[Path], object]) -> Iterator[Path]:
    """Mount a file system, fill it, and allow only reading from then on: an administrator ignores permission bits."""
    with full_disk(folder, 50_000_000):
        fill(folder)
        _mount("-o", "remount,ro", str(folder))
        yield folder


def _mount(*arguments: str) -> None:
    done = subprocess.run(["mount", *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system may be mounted here: {done.stderr.strip()}")

"""Freed memory stays with the process once that is asked for."""

import platform
import resource
import subprocess
import sys

import pytest

FAULTS = """
import resource, sys
if sys.argv[1] == "keep":
    from mmner_core.memory import keep_freed_memory
    assert keep_freed_memory()
import numpy as np
np.ones(20_000_000)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    np.ones(20_000_000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator decides for itself")
def test_pages_are_not_faulted_in_again() -> None:
    """Making the same big array ten times costs next to no page faults, where it cost thousands."""
    faults = {}
    for mode in ("plain", "keep"):
        done = subprocess.run([sys.executable, "-c", FAULTS, mode], capture_output=True, text=True, check=True)
        faults[mode] = int(done.stdout)
    pages = 20_000_000 * 8 // resource.getpagesize()
    assert faults["keep"] < pages / 10
    assert faults["keep"] < faults["plain"]


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator decides for itself")
def test_released_memory_leaves_the_process() -> None:
    """Kept memory is still there after an array is gone, and goes when it is released."""
    script = (
        "import os, numpy as np; from pathlib import Path\n"
        "from mmner_core.memory import keep_freed_memory, release_freed_memory\n"
        "resident = lambda: int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')\n"
        "keep_freed_memory(); np.ones(20_000_000); kept = resident()\n"
        "release_freed_memory(over=100_000); assert kept - resident() < 1e7\n"
        "release_freed_memory(over=100); print(kept - resident())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100_000_000

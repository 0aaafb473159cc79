"""Freed memory stays with the process once that is asked for."""

import os
import platform
import resource
import subprocess
import sys

import pytest

pytestmark = pytest.mark.slow  # starts the program again and again

FAULTS = """
import resource, sys
if sys.argv[1] == "keep":
    from mmner_core.runtime.memory import keep_freed_memory
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
        "from mmner_core.runtime.memory import keep_freed_memory, release_freed_memory\n"
        "resident = lambda: int(Path('/proc/self/statm').read_text().split()[1]) * os.sysconf('SC_PAGE_SIZE')\n"
        "keep_freed_memory(); np.ones(20_000_000); kept = resident()\n"
        "release_freed_memory(over=100_000); assert kept - resident() < 1e7\n"
        "release_freed_memory(over=100); print(kept - resident())"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert int(done.stdout) > 100_000_000


def test_a_long_job_passes_over_what_stays() -> None:
    """Python's search for cycles sees what is made from then on, and no more the libraries; garbage is gone before."""
    script = (
        "import gc, weakref, torch\n"
        "from mmner_core.runtime.memory import begin_long_job\n"
        "class Node: pass\n"
        "def ring():\n"
        "    node = Node(); node.itself = node\n"
        "    return weakref.ref(node)\n"
        "before, old = len(gc.get_objects()), ring()\n"
        "begin_long_job(); assert old() is None\n"
        "new = ring(); gc.collect(); assert new() is None\n"
        "print(len(gc.get_objects()) / before)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert float(done.stdout) < 0.01


ARENAS = """
import ctypes, os, sys, threading
from contextlib import nullcontext
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.process import serving_process
with serving_process(ServingConfig()) if sys.argv[1] == "server" else nullcontext():
    met, done = threading.Barrier(9), threading.Event()
    def work():
        kept = bytearray(50_000)
        met.wait(10)
        done.wait(10)
    for _ in range(8):
        threading.Thread(target=work).start()
    met.wait(10)
    libc = ctypes.CDLL(None)
    libc.fdopen.restype = ctypes.c_void_p
    out = ctypes.c_void_p(libc.fdopen(1, b"w"))
    libc.malloc_info(0, out)
    libc.fflush(out)
    done.set()
sys.stderr.write(os.environ.get("ONEDNN_PRIMITIVE_CACHE_CAPACITY", "default"))
"""
HOLES = """
import os, sys
from pathlib import Path
if sys.argv[1] == "server":
    from mmner_core.runtime.memory import share_freed_memory
    assert share_freed_memory()
resident = lambda: int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
bytearray(30_000_000)  # from here on glibc by itself cuts all that is smaller from one piece
before, photos, kept = resident(), [], []
for _ in range(20):
    photos.append(bytearray(b"x") * 6_000_000)
    kept.append(bytearray(b"x") * 100_000)
photos.clear()
print(resident() - before)
"""


def _run(script: str, mode: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ONEDNN")}
    command = [sys.executable, "-c", script, mode]
    return subprocess.run(command, capture_output=True, text=True, check=True, env=environment)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator decides for itself")
def test_threads_of_a_server_share_memory() -> None:
    """Eight threads allocate from two arenas, where each had its own; and oneDNN keeps fewer shapes."""
    runs = {mode: _run(ARENAS, mode) for mode in ("plain", "server")}
    arenas = {mode: run.stdout.count("<heap nr=") for mode, run in runs.items()}
    assert arenas["server"] <= 2 < arenas["plain"]
    assert (runs["plain"].stderr, runs["server"].stderr) == ("default", "256")


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another allocator decides for itself")
def test_a_server_hands_photos_back_at_once() -> None:
    """What was a decoded photo leaves the process though small things lie between one and the next."""
    left = {mode: int(_run(HOLES, mode).stdout) for mode in ("plain", "server")}
    assert left["server"] < 20_000_000 < 100_000_000 < left["plain"]

"""Controls freed memory: kept for the next batch in a long job, handed back in a server of many threads."""

from __future__ import annotations

import ctypes
import gc
import os
import platform
from pathlib import Path

from mmner_core.runtime.fast import is_fast

_TRIM_THRESHOLD, _MMAP_THRESHOLD, _ARENA_MAX = -1, -3, -8  # glibc's malloc.h
_KEPT = 1 << 30
_SHARED_ARENAS = 2
_OWN_MAPPING = 4 << 20
_TOP_KEPT = 32 << 20
_PRIMITIVES = "ONEDNN_PRIMITIVE_CACHE_CAPACITY"
_PRIMITIVES_KEPT = "256"


def keep_freed_memory() -> bool:
    """Raise the sizes from which glibc maps and unmaps memory anew; say whether that could be done.

    By default each tensor over 32 MB, and most over 128 kB, is mapped when made and unmapped when freed, so its pages
    are faulted in and zeroed for every batch: a quarter of the CPU time of tagging with photos. Worth it in a program
    that tags batch after batch; the price is that memory once used stays with the process until
    :func:`release_freed_memory` is called.
    """
    if not _has_glibc() or not is_fast("kept_memory"):
        return False
    libc = ctypes.CDLL(None)
    return all(libc.mallopt(option, _KEPT) == 1 for option in (_MMAP_THRESHOLD, _TRIM_THRESHOLD))


def begin_long_job() -> None:
    """Prepare a program that tags many batches: keep freed memory, and let garbage collection skip what is loaded.

    Every so often Python looks for cycles among all objects there are, and those of the libraries and the model are a
    million: 0.15 s, in the middle of a batch. They stay to the end, so it need not look at them again.
    """
    keep_freed_memory()
    gc.collect()
    gc.freeze()


def share_freed_memory() -> bool:
    """Let all threads allocate from the same arenas and return freed memory early; say whether that could be done.

    For a server. By default each thread has an arena of its own, up to eight for each core, and what one of them has
    freed no other can use; a decoded photo leaves a hole there. oneDNN keeps the code it generated for each of the last
    1,024 shapes of a matrix product, 350 kB each, though generating it anew takes 0.15 ms; texts of all lengths in
    groups of all sizes make a new shape of nearly every request. Must be called before the threads are started and
    torch is imported.
    """
    os.environ.setdefault(_PRIMITIVES, _PRIMITIVES_KEPT)
    if not _has_glibc():
        return False
    wanted = {_ARENA_MAX: _SHARED_ARENAS, _MMAP_THRESHOLD: _OWN_MAPPING, _TRIM_THRESHOLD: _TOP_KEPT}
    libc = ctypes.CDLL(None)
    return all(libc.mallopt(option, value) == 1 for option, value in wanted.items())


def release_freed_memory(over: float = 0) -> None:
    """Return free memory to the system; called now and then, it keeps holes between long-lived tensors from adding up.

    Args:
        over: megabytes that the process may hold before that is worth the time of faulting pages in again.
    """
    if _has_glibc() and (not over or _resident_megabytes() > over):
        ctypes.CDLL(None).malloc_trim(0)


def _has_glibc() -> bool:
    return platform.libc_ver()[0] == "glibc"


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_megabytes() -> float:
    """Return the most memory that this process has held at any time so far."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # kB on Linux, bytes on macOS
    return peak / (1e6 if platform.system() == "Darwin" else 1e3)

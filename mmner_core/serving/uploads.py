"""The folder of this server's uploads: its own, private, limited in size, and emptied of what is old."""

from __future__ import annotations

import contextlib
import logging
import os
import shutil
import tempfile
import time
from pathlib import Path
from threading import Event, Lock, Thread

log = logging.getLogger(__name__)
_STEM = "mmner-uploads-"
SWEEP_SECONDS = 15.0


class UploadSpace:
    """A fresh folder that only this user can read, removed with :meth:`close`.

    Uploads cut short and those of a server that was killed are known to nobody else, so everything in the folder is
    judged by its age, and the folders of servers that no longer run are removed at the next start.

    Args:
        max_bytes: size of all files together beyond which :meth:`reserve` says no.
        max_age: seconds after which a file is removed.
        parent: where to make the folder; None: where temporary files are.
    """

    def __init__(self, *, max_bytes: float, max_age: float, parent: Path | None = None) -> None:
        parent = parent or Path(tempfile.gettempdir())
        _remove_orphans(parent)
        self.folder = Path(tempfile.mkdtemp(prefix=f"{_STEM}{os.getpid()}-", dir=parent))
        self.max_bytes = max_bytes
        self.max_age = max_age
        self._used = 0
        self._lock = Lock()
        self._stopped = Event()

    def reserve(self, size: int) -> bool:
        """Say whether an upload of ``size`` bytes still fits; if so, its size is counted from now on."""
        with self._lock:
            if self._used + size > self.max_bytes:
                return False
            self._used += size
            return True

    def sweep(self) -> int:
        """Remove files older than allowed and folders they leave empty, count the rest; return how many were removed.

        Between two sweeps what was announced is counted, which is never less than what came.
        """
        removed = kept = 0
        for folder, _, names in os.walk(self.folder, topdown=False):
            for name in names:
                path = Path(folder, name)
                with contextlib.suppress(OSError):  # removed meanwhile
                    status = path.lstat()
                    # Not the time of modification: a copy of an old photo may keep that of the original.
                    if time.time() - status.st_ctime > self.max_age:
                        path.unlink()
                        removed += 1
                    else:
                        kept += status.st_size
            if folder != str(self.folder):
                with contextlib.suppress(OSError):  # not empty
                    Path(folder).rmdir()
        with self._lock:
            self._used = kept
        if removed:
            log.info("removed %d old upload(s)", removed)
        return removed

    def keep_swept(self) -> None:
        """Begin to sweep every quarter of a minute in the background."""
        Thread(target=self._sweep_on, name="sweep-uploads", daemon=True).start()

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._stopped.set()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _sweep_on(self) -> None:
        while not self._stopped.wait(SWEEP_SECONDS):
            self.sweep()


def _remove_orphans(parent: Path) -> None:
    """Remove this user's upload folders whose server no longer runs."""
    for folder in parent.glob(f"{_STEM}*"):
        number = folder.name.removeprefix(_STEM).partition("-")[0]
        with contextlib.suppress(OSError):
            if number.isdigit() and folder.lstat().st_uid == os.getuid() and not _runs(int(number)):
                log.info("removing the uploads of a server that no longer runs")
                shutil.rmtree(folder, ignore_errors=True)


def _runs(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True

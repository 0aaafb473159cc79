"""The folder of uploads: limited in all and for each visitor, emptied of the old."""

from __future__ import annotations

import contextlib
import logging
import math
import os
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock, Thread

from mmner_core.serving.asgi import Refused, retry_after
from mmner_core.serving.own_folder import OwnFolder, temporary_folder

log = logging.getLogger(__name__)
_STEM = "mmner-uploads-"
SWEEP_SECONDS = 15.0
NO_SPACE = "The server has no room for uploads at the moment; try again in some minutes."
NO_SHARE = "Your uploads take all the room that one visitor may have ({megabytes:g} MB); try again in {minutes} min."


@dataclass(slots=True, eq=False)
class Upload:
    """A request that is being written to the disk.

    Attributes:
        kept: whether what was written stays there; else its room is free again as soon as the request ends.
    """

    space: UploadSpace
    visitor: str
    bytes: int = 0
    kept: bool = False

    def grow(self, size: int) -> None:
        """Count bytes that arrived.

        Raises:
            Refused: if there is none left, or none of the visitor's share.
        """
        self.space.take(self.visitor, size)
        self.bytes += size


@dataclass(slots=True)
class _Share:
    """One visitor's bytes: in all, and those kept, with the time since when."""

    bytes: int = 0
    kept: deque[tuple[float, int]] = field(default_factory=deque)


class UploadSpace:
    """Counts every byte that is written, for its visitor and for all, until it is gone again.

    Uploads cut short by a kill are known to nobody else, so everything in the folder is judged by its age.

    Args:
        max_bytes: of all files together.
        max_age: seconds after which a file is removed.
        share: bytes of one visitor; None: as many as there are.
        parent: where to make the folder; None: where temporary files are.

    Raises:
        InputError: if nothing can be written there.
    """

    def __init__(
        self, *, max_bytes: float, max_age: float, share: float | None = None, parent: Path | None = None
    ) -> None:
        self._own = OwnFolder(_STEM, parent or temporary_folder())
        self.folder = self._own.path
        self.max_bytes = max_bytes
        self.max_age = max_age
        self.share = math.inf if share is None else share
        self._used = 0
        self._shares: dict[str, _Share] = {}
        self._lock = Lock()
        self._stopped = Event()

    @contextmanager
    def receiving(self, visitor: str) -> Iterator[Upload]:
        """Count a request's bytes while it is received, and longer if it is kept."""
        upload = Upload(self, visitor)
        try:
            yield upload
        finally:
            if upload.kept and upload.bytes:
                self._keep(visitor, upload.bytes)
            else:
                self._release(visitor, upload.bytes)

    def take(self, visitor: str, size: int) -> None:
        """Count bytes that are about to be written.

        Raises:
            Refused: if they do not fit; then none is counted.
        """
        with self._lock:
            self._forget_old(visitor)
            share = self._shares.setdefault(visitor, _Share())
            if share.bytes + size > self.share:
                wait = self.max_age if not share.kept else max(0.0, share.kept[0][0] + self.max_age - time.monotonic())
                message = NO_SHARE.format(megabytes=self.share / 1e6, minutes=math.ceil(wait / 60) or 1)
                raise Refused(retry_after(429, message, math.ceil(wait) or 1))
            if self._used + size > self.max_bytes:
                raise Refused(retry_after(503, NO_SPACE, 60))
            share.bytes += size
            self._used += size

    def sweep(self) -> int:
        """Remove expired files and the folders they leave empty, count the rest; return how many were removed."""
        self._own.keep()
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
            for visitor in list(self._shares):
                self._forget_old(visitor)
        if removed:
            log.info("removed %d old upload(s)", removed)
        return removed

    def keep_swept(self) -> None:
        """Sweep every 15 seconds in the background from now on."""
        Thread(target=self._sweep_on, name="sweep-uploads", daemon=True).start()

    def close(self) -> None:
        """Remove the folder with all that is in it."""
        self._stopped.set()
        self._own.close()

    def _sweep_on(self) -> None:
        while not self._stopped.wait(SWEEP_SECONDS):
            self.sweep()

    def _keep(self, visitor: str, size: int) -> None:
        with self._lock:
            self._shares[visitor].kept.append((time.monotonic(), size))

    def _release(self, visitor: str, size: int) -> None:
        with self._lock:
            self._used = max(0, self._used - size)
            if share := self._shares.get(visitor):
                share.bytes -= size
                self._forget_old(visitor)

    def _forget_old(self, visitor: str) -> None:
        """Subtract expired files from a visitor's share; the lock must be held."""
        share = self._shares.get(visitor)
        if share is None:
            return
        while share.kept and time.monotonic() - share.kept[0][0] > self.max_age:
            share.bytes -= share.kept.popleft()[1]
        if not share.bytes:
            del self._shares[visitor]

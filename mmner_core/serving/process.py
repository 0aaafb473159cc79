"""The server's process: its environment, its folder of uploads, its shutdown."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
import signal
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event
from typing import NoReturn

from mmner_core.runtime.memory import share_freed_memory
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.uploads import UploadSpace

log = logging.getLogger(__name__)
_OWN_FILES = 512  # open ones, besides connections: libraries, models, uploads


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment, with the variables of Hugging Face Spaces translated into ours."""
    said = {"MMNER_HOST": environment.get("GRADIO_SERVER_NAME"), "MMNER_ALLOWED_HOSTS": environment.get("SPACE_HOST")}
    return {**{name: value for name, value in said.items() if value}, **environment}


@contextmanager
def serving_process(config: ServingConfig) -> Iterator[tuple[UploadSpace, Event]]:
    """Give the process a folder for uploads, removed at the end, and an event that is set when it is to stop.

    Must be entered by the main thread, before the web framework makes its objects and the model is loaded.

    Raises:
        InputError: if there is no folder for temporary files.
    """
    share_freed_memory()
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(name) is not signal.SIG_IGN:  # nohup has it ignored
            signal.signal(name, lambda *_: stop.set())
    os.umask(0o077)  # whatever the web framework makes is for nobody else's eyes either
    _allow_open_files(config.connections + _OWN_FILES)
    space = UploadSpace(
        max_bytes=config.upload_space_mb * 1e6,
        max_age=60 * config.upload_minutes,
        share=config.upload_share_mb * 1e6,
    )
    os.environ["GRADIO_TEMP_DIR"] = tempfile.tempdir = str(space.folder)
    os.environ["FORWARDED_ALLOW_IPS"] = config.trusted_proxies  # read by uvicorn
    space.keep_swept()
    try:
        yield space, stop
    finally:
        tempfile.tempdir = None
        space.close()


def end_process(code: int) -> NoReturn:
    """End the process after everything is closed.

    Not as Python ends: threads that load a model or run it at this moment are in the middle of native code, which
    aborts the process when it comes back to an interpreter that is gone.
    """
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody reads it any more
            stream.flush()
    os._exit(code)


def _allow_open_files(wanted: int) -> None:
    """Raise the limit of open files as far as the system lets us; many give a process 1,024."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < most:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))

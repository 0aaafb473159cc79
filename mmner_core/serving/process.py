"""The server's process: what it reads from its environment, its folder of uploads, how it is told to stop."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from threading import Event

from mmner_core.memory import share_freed_memory
from mmner_core.serving.config import ServingConfig
from mmner_core.serving.uploads import UploadSpace

log = logging.getLogger(__name__)


def own_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the environment with what Hugging Face Spaces says in its variables said in ours."""
    said = {"MMNER_HOST": environment.get("GRADIO_SERVER_NAME"), "MMNER_ALLOWED_HOSTS": environment.get("SPACE_HOST")}
    return {**{name: value for name, value in said.items() if value}, **environment}


@contextmanager
def serving_process(config: ServingConfig) -> Iterator[tuple[UploadSpace, Event]]:
    """Give the process a folder for uploads, which is removed in the end, and an event that is set when it is to stop.

    Must be entered by the main thread, before the web framework makes its objects and the model is loaded.
    """
    share_freed_memory()
    stop = Event()
    for name in (signal.SIGINT, signal.SIGTERM):
        signal.signal(name, lambda *_: stop.set())
    space = UploadSpace(max_bytes=config.upload_space_mb * 1e6, max_age=60 * config.upload_minutes)
    os.environ["GRADIO_TEMP_DIR"] = str(space.folder)
    os.environ["FORWARDED_ALLOW_IPS"] = config.trusted_proxies  # read by uvicorn
    space.keep_swept()
    try:
        yield space, stop
    finally:
        space.close()

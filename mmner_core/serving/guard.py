"""Puts the gate and the watchdog around the web framework's application when the server starts."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from starlette.middleware import Middleware

from mmner_core.serving.config import ServingConfig
from mmner_core.serving.gate import Gate
from mmner_core.serving.open_requests import OpenRequests
from mmner_core.serving.uploads import UploadSpace
from mmner_core.serving.watchdog import Watchdog

OFF: dict[str, Any] = dict.fromkeys(
    ("share", "ssr_mode", "run_history", "enable_monitoring", "mcp_server", "show_error"), False
) | {"footer_links": []}
"""Parts of gradio that open ways in, show traffic or what went wrong inside."""


def guarded(
    config: ServingConfig, space: UploadSpace | None = None, watchdog: Watchdog | None = None
) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    """Return the application's lifespan handler.

    Only there can the gate come first: gradio puts what answers other sites' pages before any middleware it is given.
    """
    watchdog = watchdog or Watchdog()

    @asynccontextmanager
    async def lifespan(application: Any) -> AsyncIterator[None]:
        gate = Middleware(Gate, config=config, space=space, trouble=lambda: watchdog.trouble)
        counted = Middleware(OpenRequests, most=config.visitor_connections)
        application.user_middleware[:0] = [gate, counted]
        application.middleware_stack = None  # built anew for the first request
        watching = asyncio.create_task(watchdog.watch(application))
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching

    return lifespan

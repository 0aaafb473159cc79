"""Counts each visitor's open requests, and ends idle streams in order.

ASGI middleware for behind the gate, which answers what is refused here.
"""

from __future__ import annotations

from mmner_core.serving.asgi import Application, Message, Receive, Send
from mmner_core.serving.limits import ConcurrencyLimit
from mmner_core.serving.visitor import visitor_of, working_for

TOO_MANY_OPEN = "As many of your requests as allowed ({most}) are open; close one, or wait until it is answered."


class OpenRequests:
    """Middleware for an application whose answers may stream for as long as somebody reads them.

    Args:
        app: the application.
        most: requests of one visitor open at once, reading ones included.
    """

    def __init__(self, app: Application, *, most: int) -> None:
        self._app = app
        self._open = ConcurrencyLimit(most, TOO_MANY_OPEN)

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, with its visitor in the context of all that is done for it.

        Raises:
            Refused: if the visitor has as many open as allowed.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        visitor = visitor_of(scope)
        with self._open.admit(visitor), working_for(visitor):
            await self._pass(scope, receive, send)

    async def _pass(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on; a stream of an unknown or ended session ends without an error in the log.

        The web framework has told whoever reads it by then.
        """
        started = False

        async def send_noted(message: Message) -> None:
            nonlocal started
            started = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except Exception as error:
            if not started or all(getattr(e, "status_code", None) != 404 for e in (error, error.__cause__)):
                raise
            await send({"type": "http.response.body", "body": b""})

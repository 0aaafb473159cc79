"""Links to the page: parameters that the web framework takes for its own are kept from it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import unquote_plus

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Message, Receive, Send], Awaitable[None]]

_FRAMEWORKS_OWN = frozenset({"page", "deep_link"})


class PageLinks:
    """ASGI middleware that lets every link open the page, whatever parameters it has.

    Gradio looks its pages and saved states up by these names, and answers one that it does not know with an error.
    The workbench has one page and no saved states, but links that name a page of a table. The browser's address is
    left as it is, and our scripts read it there.
    """

    def __init__(self, app: Application) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, one for the page without those parameters."""
        if scope["type"] == "http" and _is_page(scope):
            parts = scope["query_string"].split(b"&")
            kept = b"&".join(part for part in parts if _name(part) not in _FRAMEWORKS_OWN)
            scope = {**scope, "query_string": kept}
        await self._app(scope, receive, send)


def _is_page(scope: Message) -> bool:
    path: str = scope["path"]
    return not path.removeprefix(scope.get("root_path", "")).strip("/")


def _name(part: bytes) -> str:
    return unquote_plus(part.partition(b"=")[0].decode("latin-1"))

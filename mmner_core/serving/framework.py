"""Everything the gate needs to know about gradio's internals.

gradio is not imported, its application is only looked into; the names used are those of the pinned version.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol


class Framework(Protocol):
    """Answers the gate's questions about an application."""

    def has_call(self, application: Any, name: str) -> bool:
        """Say whether programs may call a function of that name."""

    def has_function(self, application: Any, number: int) -> bool:
        """Say whether the page has a function of that number."""

    def has_part(self, application: Any, number: int, function: str) -> bool:
        """Say whether a part of the page has a function that it may call on the server."""

    def awaits(self, application: Any, event: str) -> bool:
        """Say whether an event's answer was not fetched yet, be it at work or done."""

    def user(self, application: Any, cookies: Mapping[str, str]) -> str | None:
        """Return the name that a visitor with these cookies has logged in under, None for one who has not."""


class Gradio:
    """Looks into gradio's application, since most of this has no public interface."""

    def has_call(self, application: Any, name: str) -> bool:
        """Say whether programs may call a function of that name."""
        functions = application.get_blocks().fns.values()
        return any(fn.api_name == name and fn.api_visibility == "public" for fn in functions)

    def has_function(self, application: Any, number: int) -> bool:
        """Say whether the page has a function of that number."""
        return number in application.get_blocks().fns

    def has_part(self, application: Any, number: int, function: str) -> bool:
        """Say whether a part of the page has a function that it may call on the server."""
        block = application.get_blocks().blocks.get(number)
        return bool(getattr(getattr(block, function, None), "_is_server_fn", False))

    def awaits(self, application: Any, event: str) -> bool:
        """Say whether an event's answer was not fetched yet, be it at work or done."""
        waiting = application.get_blocks()._queue.pending_event_ids_session
        return any(event in events for events in waiting.values())

    def user(self, application: Any, cookies: Mapping[str, str]) -> str | None:
        """Return the name that a visitor with these cookies has logged in under, None for one who has not."""
        names = (f"access-token-{application.cookie_id}", f"access-token-unsecure-{application.cookie_id}")
        users = (application.tokens.get(cookies.get(name)) for name in names)
        return next((str(user) for user in users if user is not None), None)

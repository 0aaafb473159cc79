"""A request that is turned away while it is being read or answered, with the status that says so over HTTP."""

from __future__ import annotations

from mmner_core.errors import InputError


class Refused(InputError):
    """Says in one sentence why a request is turned away.

    Args:
        status: of the HTTP answer.
        sentence: for the visitor.
        retry_after: seconds after which trying again makes sense.
    """

    def __init__(self, status: int, sentence: str, retry_after: int | None = None) -> None:
        super().__init__(sentence)
        self.status = status
        self.retry_after = retry_after

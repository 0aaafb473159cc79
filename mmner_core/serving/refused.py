"""A request that is turned away while it is judged, read or answered."""

from __future__ import annotations

from mmner_core.errors import InputError
from mmner_core.serving.asgi import Refusal


class Refused(InputError):
    """Says in one sentence why a request is turned away; the gate answers with it."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.sentence)
        self.refusal = refusal

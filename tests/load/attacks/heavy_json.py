"""JSON that takes much longer to read than to send."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker
from tests.load.attacks.bodies import nested_lists

UPLOAD_BYTES = 29_000_000  # just within the limit of an upload
REQUEST_BYTES = 7_900_000  # just within the limit of any other request
DEPTH = 100


async def _call_upload(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    body = b'{"data": [' + nested_lists(UPLOAD_BYTES, DEPTH) + b"]}"
    while True:
        yield await attacker.post("call/upload", body)


async def _nested_batch(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    body = b'{"data": [' + nested_lists(REQUEST_BYTES, DEPTH) + b"]}"
    while True:
        yield await attacker.post("call/tag_batch", body)


ATTACKS = (
    Attack(
        name="call-upload",
        does="29 MB of nested lists to a call named upload, which are no upload",
        steps=_call_upload,
    ),
    Attack(name="nested-batch", does="8 MB of lists nested 100 deep in place of a batch", steps=_nested_batch),
)

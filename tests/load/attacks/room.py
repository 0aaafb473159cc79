"""Take all the room there is for uploads."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Iterator

from tests.load.attacks.attack import Attack
from tests.load.attacks.attacker import Attacker
from tests.load.questions import UploadedPhoto
from tests.load.wire import API

FILE_BYTES = 29_000_000
UNDERSTATED_BYTES = 64_000_000  # sent after an announcement of ten
_PIECE = 1_000_000
_HEAD = b'--x\r\nContent-Disposition: form-data; name="files"; filename="a.jpg"\r\nContent-Type: image/jpeg\r\n\r\n'
_UPLOAD = f"POST /{API}/upload HTTP/1.1\nContent-Type: multipart/form-data; boundary=x\nContent-Length: "


def _size(number: int, whole: int) -> int:
    """Return the size of a lane's next file: after so many whole ones smaller and smaller, to fill every corner."""
    return max(1_000, FILE_BYTES >> max(0, number - whole))


async def _full_room(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    for number in itertools.count():
        mark = f"{attacker.address} {lane} {number}".encode()  # the app keeps the same bytes but once
        photo = UploadedPhoto(name="full.jpg", mime_type="image/jpeg", content=mark + bytes(_size(number, 11)))
        yield (await attacker.upload(photo))[0]


def _chunked(length: int) -> Iterator[bytes]:
    for piece in (_HEAD, *[bytes(_PIECE)] * (length // _PIECE), b"\r\n--x--\r\n"):
        yield b"%x\r\n%b\r\n" % (len(piece), piece)
    yield b"0\r\n\r\n"


async def _understated(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    while True:
        yield await attacker.send_raw(f"{_UPLOAD}10\nTransfer-Encoding: chunked", _chunked(UNDERSTATED_BYTES))


async def _reserved(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    for number in itertools.count():
        yield await attacker.send_raw(f"{_UPLOAD}{_size(number, 22)}", hold=0.05)


async def _many_files(attacker: Attacker, lane: int) -> AsyncGenerator[str, None]:
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    for number in itertools.count():
        files = b"".join(_HEAD + f"{lane} {number} {i}\r\n".encode() for i in range(900))
        yield await attacker.post("upload", files + b"--x--\r\n", **headers)


ATTACKS = (
    Attack(name="full-room", does="uploads of 29 MB, one after the other", steps=_full_room),
    Attack(name="understated-upload", does="uploads that announce 10 bytes and bring 64 MB", steps=_understated),
    # Few lanes: what is refused as too many at once reserves nothing.
    Attack(name="reserved-room", does="uploads that are announced with 29 MB and never come", steps=_reserved, lanes=3),
    Attack(name="many-files", does="uploads of 900 tiny files each", steps=_many_files),
)

"""Images that no camera takes: bombs, odd depths, foreign profiles; all built in memory."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

RED, BLUE, WHITE = (200, 10, 10), (10, 10, 200), (255, 255, 255)
_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_JPEG_SCAN = 0xDA
# CIE XYZ under D50 of the primaries, as in the profiles of Adobe RGB (1998) and sRGB.
ADOBE_RGB = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))
SRGB = ((0.43607, 0.22249, 0.01392), (0.38515, 0.71687, 0.09708), (0.14307, 0.06061, 0.71410))
ADOBE_GAMMA = 563 / 256
D50 = (0.9642, 1.0, 0.8249)


def encode(image: Image.Image, fmt: str = "PNG", **options: Any) -> bytes:
    """Return the bytes of an image file."""
    buffer = io.BytesIO()
    image.save(buffer, fmt, **options)
    return buffer.getvalue()


def plain(size: tuple[int, int] = (40, 30), colour: tuple[int, ...] = RED, mode: str = "RGB") -> Image.Image:
    """Draw one colour, given in the mode asked for."""
    return Image.new(mode, size, colour)


def middle(image: Image.Image) -> tuple[int, ...]:
    """Return the colour in the middle."""
    found = image.getpixel((image.width // 2, image.height // 2))
    assert isinstance(found, tuple)
    return tuple(int(value) for value in found)


def png_chunk(name: bytes, data: bytes = b"") -> bytes:
    """Build a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(width: int, height: int, data: bytes, *, depth: int = 8, colour: int = 2, between: bytes = b"") -> bytes:
    """Build a PNG file whose header claims this size, with chunks ``between`` header and pixels; colour 2 is RGB."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    pixels = png_chunk(b"IDAT", zlib.compress(data))
    return _PNG_SIGNATURE + png_chunk(b"IHDR", header) + between + pixels + png_chunk(b"IEND")


def png_of_deep_pixels(width: int, height: int, colour: Sequence[int]) -> bytes:
    """Build a PNG of one colour, in 16-bit numbers: three for RGB, four with alpha."""
    row = b"\0" + struct.pack(f">{len(colour)}H", *colour) * width
    return png(width, height, row * height, depth=16, colour={3: 2, 4: 6}[len(colour)])


def png_of_empty_chunks(count: int) -> bytes:
    """Build a small PNG with this many empty chunks, 12 bytes each, before its pixels."""
    return png(4, 4, (b"\0" + bytes(12)) * 4, between=png_chunk(b"prVt") * count)


def gif_of_comments(megabytes: float) -> bytes:
    """Build a small GIF with one endless comment, which comes in pieces of 255 bytes."""
    gif = encode(Image.new("P", (4, 4)), "GIF")
    head = 13 + 3 * (2 << (gif[10] & 7))
    pieces = (b"\xff" + b"x" * 255) * int(megabytes * 1e6 / 256)
    return gif[:head] + b"!\xfe" + pieces + b"\0" + gif[head:]


def jpeg_of_empty_segments(count: int) -> bytes:
    """Build a small JPEG with this many empty segments, 4 bytes each, at its beginning."""
    jpeg = encode(plain(), "JPEG")
    return jpeg[:2] + b"\xff\xef\x00\x02" * count + jpeg[2:]


def jpeg_of_scans(size: tuple[int, int], count: int) -> bytes:
    """Build a progressive JPEG that repeats its last scan, a few bytes, ``count`` times."""
    jpeg = encode(Image.new("L", size, 128), "JPEG", progressive=True)
    last = jpeg.rindex(bytes([0xFF, _JPEG_SCAN]))
    return jpeg[:last] + jpeg[last:-2] * (count + 1) + jpeg[-2:]


def tiff_of_one_tile(side: int, size: tuple[int, int] = (16, 16)) -> bytes:
    """Build a compressed TIFF whose few pixels lie in a tile of ``side`` x ``side``, which unpacks as a whole."""
    packer = zlib.compressobj(1)
    data = b"".join([*(packer.compress(bytes(3 * side)) for _ in range(side)), packer.flush()])
    longs = {256: size[0], 257: size[1], 322: side, 323: side, 324: 0, 325: len(data)}
    shorts = {258: 0, 259: 8, 262: 2, 277: 3, 284: 1}
    end = 8 + 2 + 12 * (len(longs) + len(shorts)) + 4
    longs[324] = end + 8
    entries = [struct.pack("<HHII", tag, 4, 1, value) for tag, value in longs.items()]
    entries += [struct.pack("<HHIHH", tag, 3, 1, value, 0) for tag, value in shorts.items() if tag != 258]
    entries.append(struct.pack("<HHII", 258, 3, 3, end))
    entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
    head = struct.pack("<2sHIH", b"II", 42, 8, len(entries)) + b"".join(entries) + bytes(4)
    return head + struct.pack("<4H", 8, 8, 8, 0) + data


def noise_jpeg(megabytes: float) -> bytes:
    """Build a JPEG of noise of about this size."""
    side = int((megabytes * 1e6 / 4.1) ** 0.5)
    pixels = np.random.default_rng(19).integers(0, 256, (side, side, 3), dtype=np.uint8)
    return encode(Image.fromarray(pixels), "JPEG", quality=100, subsampling=0)


def _fixed(values: Iterable[float]) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def _profile(kind: bytes, space: bytes, connection: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Put tags into an ICC profile of version 2."""
    tags = {b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78), **tags}
    tags[b"wtpt"] = b"XYZ " + bytes(4) + _fixed(D50)
    tags[b"cprt"] = b"text" + bytes(4) + b"none\0"
    place, table, body = 128 + 4 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        table += name + struct.pack(">II", place + len(body), len(content))
        body += content + bytes(-len(content) % 4)
    size = place + len(body)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, kind, space, connection)
    head += struct.pack(">6H4s", 2026, 1, 1, 0, 0, 0, b"acsp") + bytes(28) + _fixed(D50)
    return head + bytes(128 - len(head)) + struct.pack(">I", len(tags)) + table + body


def _gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def rgb_profile(primaries: Sequence[Sequence[float]] = ADOBE_RGB, gamma: float = ADOBE_GAMMA) -> bytes:
    """Build the colour profile of a screen with these primaries (XYZ under D50) and gamma."""
    names = (b"rXYZ", b"gXYZ", b"bXYZ")
    tags = {name: b"XYZ " + bytes(4) + _fixed(xyz) for name, xyz in zip(names, primaries, strict=True)}
    curves = {name: _gamma(gamma) for name in (b"rTRC", b"gTRC", b"bTRC")}
    return _profile(b"mntr", b"RGB ", b"XYZ ", tags | curves)


def grey_profile(gamma: float) -> bytes:
    """Build the colour profile of greys with this gamma."""
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _gamma(gamma)})


def ink_profile(cyan: tuple[int, int, int]) -> bytes:
    """Build the profile of a printer whose inks give white, but cyan alone this colour in Lab, and the rest black."""
    identity = bytes(range(256))
    grid = [(100, 0, 0) if ink == 0 else cyan if ink == 8 else (0, 0, 0) for ink in range(16)]  # cyan varies slowest
    points = b"".join(bytes([round(light * 2.55), a + 128, b + 128]) for light, a, b in grid)
    matrix = _fixed([1, 0, 0, 0, 1, 0, 0, 0, 1])
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + identity * 4 + points + identity * 3
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": table})


def srgb_of_xyz(xyz: Sequence[float]) -> tuple[int, ...]:
    """Return the sRGB colour of a colour in XYZ under D50, by the formulas of IEC 61966-2-1."""
    linear = np.clip(np.linalg.solve(np.array(SRGB).T, np.asarray(xyz, dtype=float)), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return tuple(int(value) for value in np.rint(255 * encoded))


def xyz_of_lab(light: float, a: float, b: float) -> tuple[float, ...]:
    """Return the colour in XYZ under D50 of a colour in CIE Lab."""
    y = (light + 16) / 116
    ratios = [t**3 if t > 6 / 29 else 3 * (6 / 29) ** 2 * (t - 4 / 29) for t in (y + a / 500, y, y - b / 200)]
    return tuple(white * ratio for white, ratio in zip(D50, ratios, strict=True))

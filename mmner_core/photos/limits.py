"""Limits on images: what is refused before it is decoded, and the clock that runs while it is.

By default no image takes more than 5 seconds or 1 GB: the size that its header claims is checked before anything of
that size is allocated, and a file that keeps the decoder busy with something else than pixels runs out of time.
"""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass

from PIL import Image

from mmner_core.errors import InputError

# Bytes that decoding and converting a pixel may take at the peak: measured with the hungriest kind of each format
# (``python -m tests.hostile.worst_images``), and a third more for depths that could not be written here.
_BYTES_PER_PIXEL = {"PNG": 13, "GIF": 13, "BMP": 13, "JPEG": 16, "MPO": 16, "WEBP": 22, "TIFF": 24, "AVIF": 30}
_MOST_BYTES_PER_PIXEL = max(_BYTES_PER_PIXEL.values())
# A progressive JPEG is written in about ten passes over the image; a file of 60 kB can ask for thousands.
_PASSES = 25
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_JPEG_MARKER = re.compile(rb"\xff+([^\x00\xff\xd0-\xd7])", re.DOTALL)
_TILE_WIDTH, _TILE_HEIGHT = 322, 323  # TIFF tags
_READS_PER_LOOK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """Limits beyond which an image is refused.

    Attributes:
        max_bytes: size of the file.
        max_pixels: width times height, whatever the format.
        max_memory: bytes that decoding may take; formats that need more of it per pixel are allowed fewer pixels.
        max_seconds: processor time until a decoder that reads on and on is stopped.
        max_ratio: longer over shorter side; a 1 x 30,000 image resized by its short side would fill the memory.
    """

    max_bytes: int = 30_000_000
    max_pixels: int = 60_000_000
    max_memory: int = 1_000_000_000
    max_seconds: float = 4.0
    max_ratio: float = 100.0

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "max_memory", "max_ratio"):
            if getattr(self, name) < 1:
                raise InputError(f"ImageLimits.{name} must be at least 1, got {getattr(self, name)}.")
        if self.max_seconds <= 0:
            raise InputError(f"ImageLimits.max_seconds must be above 0, got {self.max_seconds}.")

    def pixels(self, file_format: str | None) -> int:
        """Return how many pixels an image of this format may have (None: one that is open already)."""
        if file_format is None:
            return self.max_pixels
        return min(self.max_pixels, self.max_memory // _BYTES_PER_PIXEL.get(file_format, _MOST_BYTES_PER_PIXEL))


DEFAULT_LIMITS = ImageLimits()


class TimedFile(io.BytesIO):
    """An image's bytes, which stop being read once the time is up.

    Millions of empty chunks or of one comment's pieces are parsed in Python, so that no limit of size helps; but
    every one of them is read.
    """

    def __init__(self, data: bytes, name: str, limits: ImageLimits) -> None:
        super().__init__(data)
        self._name, self._seconds, self._reads = name, limits.max_seconds, 0
        self._end = time.thread_time() + limits.max_seconds

    def read(self, size: int | None = -1, /) -> bytes:
        """Read on.

        Raises:
            InputError: if the time is up.
        """
        self._reads += 1
        if self._reads % _READS_PER_LOOK == 0 and time.thread_time() > self._end:
            raise InputError(
                f"{begin(self._name)} takes more than {self._seconds:g} seconds to decode; save it again as JPEG."
            )
        return super().read(size)


def check_bytes(size: int, name: str, limits: ImageLimits) -> None:
    """Refuse a file for its size.

    Raises:
        InputError: if it is empty or over the limit.
    """
    if not size:
        raise InputError(f"{begin(name)} is empty (0 bytes).")
    if size > limits.max_bytes:
        raise InputError(f"{begin(name)} has {size / 1e6:.1f} MB; at most {limits.max_bytes / 1e6:g} MB are read.")


def check_size(image: Image.Image, name: str, limits: ImageLimits) -> tuple[int, int]:
    """Return the size that the header claims, before anything of that size is allocated.

    Raises:
        InputError: if the image is empty, has too many pixels, or is a strip.
    """
    width, height = image.size
    if not width or not height:
        raise InputError(f"{begin(name)} is empty ({width} x {height} pixels).")
    if width * height > limits.pixels(image.format):
        raise too_many_pixels(name, limits, image.size, image.format)
    if max(width, height) > limits.max_ratio * min(width, height):
        raise InputError(f"{begin(name)} is {width} x {height} pixels, too narrow a strip to be an image.")
    tile = getattr(image, "tag_v2", {})
    if _as_int(tile.get(_TILE_WIDTH)) * _as_int(tile.get(_TILE_HEIGHT)) > limits.pixels(image.format):
        raise InputError(f"{begin(name)} is stored in one tile of far more pixels than it has; save it again as JPEG.")
    return width, height


def check_passes(data: bytes, image: Image.Image, name: str, limits: ImageLimits) -> None:
    """Refuse a JPEG that is written in so many passes over the image that decoding it would take minutes.

    Raises:
        InputError: if it is one.
    """
    if image.format not in ("JPEG", "MPO"):
        return
    most = _PASSES * limits.max_pixels // (image.width * image.height)
    if data.count(bytes([0xFF, _START_OF_SCAN])) > most and _passes(data) > most:
        raise InputError(f"{begin(name)} takes too many passes to decode; save it again.")


def too_many_pixels(
    name: str, limits: ImageLimits, size: tuple[int, int] | None = None, file_format: str | None = None
) -> InputError:
    """Build the error for an image that is too big; ``size`` is None where not even the header was believed."""
    found = f"{size[0]} x {size[1]} pixels" if size else "far too many pixels"
    kind = f" of a {file_format}" if limits.pixels(file_format) < limits.max_pixels else ""
    most = f"{limits.pixels(file_format) / 1e6:.3g} million"
    return InputError(f"{begin(name)} has {found}; at most {most}{kind} are decoded, make it smaller.")


def begin(name: str) -> str:
    """Begin a sentence with the image's name."""
    return "The image" if name == "the image" else f"The image {name}"


def _passes(data: bytes) -> int:
    """Count the scans of the first image in a JPEG file, walking from marker to marker."""
    passes, place = 0, 2
    while match := _JPEG_MARKER.search(data, place):
        marker = match[1][0]
        if marker == _END_OF_IMAGE:
            break
        passes += marker == _START_OF_SCAN
        place = match.end() + int.from_bytes(data[match.end() : match.end() + 2], "big")
    return passes


def _as_int(value: object) -> int:
    return value if isinstance(value, int) else 0

"""Open pictures from anywhere: upright, RGB, within limits, or one sentence that says why not."""

from __future__ import annotations

import io
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image

from mmner_core.data.colour import to_rgb
from mmner_core.errors import InputError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF", "AVIF")  # none that runs another program, as EPS would
_READABLE = "JPEG, PNG, WebP, AVIF, GIF, BMP or TIFF"
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = (_TURNS[5], _TURNS[6], _TURNS[7], _TURNS[8])
_HEIC_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
# What Pillow's decoders raise on damaged files, by experiment with mutated ones; a Warning where those are errors.
_DECODE_ERRORS = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,
    SystemError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
    Warning,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageLimits:
    """What is refused before it is decoded.

    Attributes:
        max_bytes: size of the file.
        max_pixels: width times height; 60 MP decode within 5 s and 1 GB in every format read here.
        max_ratio: longer over shorter side; a 1 x 30,000 picture resized by its short side would fill the memory.
    """

    max_bytes: int = 30_000_000
    max_pixels: int = 60_000_000
    max_ratio: float = 100.0

    def __post_init__(self) -> None:
        for name in ("max_bytes", "max_pixels", "max_ratio"):
            if getattr(self, name) < 1:
                raise InputError(f"ImageLimits.{name} must be at least 1, got {getattr(self, name)}.")


DEFAULT_LIMITS = ImageLimits()


class Photo(NamedTuple):
    """An upright RGB picture, perhaps smaller than the original, and the original's upright (width, height)."""

    image: Image.Image
    size: tuple[int, int]


def open_image(
    source: Path | str | bytes | Image.Image, *, target: int | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Image.Image:
    """Return a picture upright and in RGB; see :func:`open_photo`."""
    return open_photo(source, target=target, limits=limits).image


def open_photo(
    source: Path | str | bytes | Image.Image, *, target: int | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Photo:
    """Open a picture: turned upright by its EXIF, in 8-bit RGB, transparency on white, an animation's first frame.

    Args:
        source: a file (a string is its path), the bytes of one, or a picture already open.
        target: the short side the caller needs, in pixels; a bigger picture may come back smaller, but not below
            this, which makes photos from cameras several times faster to decode. None keeps every pixel.
        limits: what to refuse.

    Raises:
        InputError: if it is missing, empty, too big, damaged, or not a picture of a known format.
    """
    if isinstance(source, Image.Image):
        size = _check_size(source, "the picture", limits)
        with _damage_reported("the picture"):
            source.load()
        return _finish(source, size, target)
    name = "the picture" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read_file(Path(source), limits)
    _check_bytes(data, name, limits)
    with _damage_reported(name):
        image = _identify(data, name, limits)
    size = _check_size(image, name, limits)
    with _damage_reported(name):
        if target is not None:
            image.draft(None, (target, target))  # JPEG: decode at 1/2, 1/4, 1/8, short side >= target; others ignore it
        image.load()
    with image:
        return _finish(image, size, target)


@contextmanager
def _damage_reported(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one sentence; wrapped around Pillow's decoders only."""
    try:
        yield
    except InputError:
        raise
    except _DECODE_ERRORS as error:
        raise InputError(f"{_begin(name)} is damaged or cut short and cannot be decoded.") from error


def _identify(data: bytes, name: str, limits: ImageLimits) -> Image.Image:
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except Image.UnidentifiedImageError as error:
        raise InputError(f"{_begin(name)} is in no format this program reads; give {_READABLE}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(_too_many_pixels(name, limits)) from error


def _read_file(path: Path, limits: ImageLimits) -> bytes:
    try:
        status = path.stat()
        regular = stat.S_ISREG(status.st_mode)  # a pipe or device could block or never end
        data = path.read_bytes() if regular and status.st_size <= limits.max_bytes else b""
    except FileNotFoundError as error:
        raise InputError(f"There is no picture {path}.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"The picture {str(path)!r} cannot be read: {reason}.") from error
    if not regular:
        raise InputError(f"{path} is not a picture but a folder or device.")
    if status.st_size > limits.max_bytes:
        raise InputError(_too_many_bytes(str(path), status.st_size, limits))
    return data


def _check_bytes(data: bytes, name: str, limits: ImageLimits) -> None:
    """Refuse what no decoder should see, with a sentence that names it."""
    if not data:
        raise InputError(f"{_begin(name)} is empty (0 bytes).")
    if len(data) > limits.max_bytes:
        raise InputError(_too_many_bytes(name, len(data), limits))
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) or b"<svg" in head[:256]:
        raise InputError(f"{_begin(name)} is an SVG or XML file, not a photo; give {_READABLE}.")
    if head.startswith((b"<!doctype", b"<html", b"<head", b"<!--")):
        raise InputError(f"{_begin(name)} is a web page, not a picture; give {_READABLE}.")
    if data[4:8] == b"ftyp" and data[8:12] in _HEIC_BRANDS:
        raise InputError(f"{_begin(name)} is a HEIC photo, which is not supported; save it as JPEG.")


def _check_size(image: Image.Image, name: str, limits: ImageLimits) -> tuple[int, int]:
    """Return the size the header claims, before anything of that size is allocated."""
    width, height = image.size
    if not width or not height:
        raise InputError(f"{_begin(name)} is empty ({width} x {height} pixels).")
    if width * height > limits.max_pixels:
        raise InputError(_too_many_pixels(name, limits, image.size))
    if max(width, height) > limits.max_ratio * min(width, height):
        raise InputError(f"{_begin(name)} is {width} x {height} pixels, too narrow a strip to be a picture.")
    return width, height


def _finish(image: Image.Image, size: tuple[int, int], target: int | None) -> Photo:
    """Shrink a decoded picture, turn it upright, convert it; ``size`` is that of the original.

    Every copy of 60 million pixels is 240 MB, so no step makes one that it does not need.
    """
    shrink = min(image.size) // target if target else 1
    turn = _orientation(image)
    if shrink > 1 and image.mode not in ("P", "PA", "1"):  # their pixels are indices or bits: convert first
        image, shrink = image.reduce(shrink), 1
    image = to_rgb(image)
    if shrink > 1:
        image = image.reduce(shrink)
    if turn is not None:
        image = image.transpose(turn)
    return Photo(image, size[::-1] if turn in _SIDEWAYS else size)


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """Return the turn that sets the picture upright; None for an upright one or a damaged EXIF block."""
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODE_ERRORS:
        return None


def _begin(name: str) -> str:
    """Begin a sentence with the picture's name."""
    return "The picture" if name == "the picture" else f"The picture {name}"


def _too_many_bytes(name: str, size: int, limits: ImageLimits) -> str:
    return f"{_begin(name)} has {size / 1e6:.1f} MB; at most {limits.max_bytes / 1e6:g} MB are read."


def _too_many_pixels(name: str, limits: ImageLimits, size: tuple[int, int] | None = None) -> str:
    found = f"{size[0]} x {size[1]} pixels" if size else "far too many pixels"
    return f"{_begin(name)} has {found}; at most {limits.max_pixels / 1e6:g} million are decoded, make it smaller."

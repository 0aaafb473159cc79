"""Opens images from anywhere: upright, RGB, within limits, or one sentence that says why not."""

from __future__ import annotations

import re
import stat
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from PIL import ExifTags, Image, UnidentifiedImageError

from mmner_core.errors import InputError
from mmner_core.photos.colour import to_rgb
from mmner_core.photos.limits import (
    DEFAULT_LIMITS,
    ImageLimits,
    TimedFile,
    begin,
    check_bytes,
    check_passes,
    check_size,
    too_many_pixels,
)

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
_REDUCIBLE = ("L", "RGB", "RGBA", "LA", "CMYK", "YCbCr", "F")
"""Modes whose pixels may be averaged as they are; others are indices, bits or 16 bits wide and are converted first."""
_ONE_FRAME = "The image is animated: only its first frame was looked at."
_ONE_PAGE = "The image has several pages: only the first was looked at."
_FRAMES = {"GIF": _ONE_FRAME, "WEBP": _ONE_FRAME, "PNG": _ONE_FRAME, "AVIF": _ONE_FRAME, "TIFF": _ONE_PAGE}
_SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG|GIF8|BM....\0{4}|II\*\0|MM\0\*|RIFF....WEBP|....ftypavi[fs]", re.DOTALL)
"""How the files of the formats begin: one that begins so and is not recognised is damaged."""
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


class Photo(NamedTuple):
    """An upright RGB image, perhaps smaller than the original.

    Attributes:
        image: what is left of it to look at.
        size: the original's upright (width, height).
        notes: a sentence for each thing the user should know, for example that an animation's rest was not looked at.
    """

    image: Image.Image
    size: tuple[int, int]
    notes: tuple[str, ...] = ()


def open_image(
    source: Path | str | bytes | Image.Image, *, target: int | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Image.Image:
    """Return an image upright and in RGB; see :func:`open_photo`."""
    return open_photo(source, target=target, limits=limits).image


def open_photo(
    source: Path | str | bytes | Image.Image, *, target: int | None = None, limits: ImageLimits = DEFAULT_LIMITS
) -> Photo:
    """Open an image: turned upright by its EXIF, in 8-bit RGB, transparency on white, an animation's first frame.

    Args:
        source: a file (a string is its path), the bytes of one, or an image already open.
        target: the short side the caller needs, in pixels; a bigger image may come back smaller, but not below
            this, which makes photos from cameras several times faster to decode. None keeps every pixel.
        limits: what to refuse.

    Raises:
        InputError: if it is missing, empty, too big, damaged, or not an image of a known format.
    """
    if isinstance(source, Image.Image):
        size = check_size(source, "the image", limits)
        with _damage_reported("the image"):
            notes = _notes(source)
            source.load()
            return _finish(source, size, target, notes)
    name = "the image" if isinstance(source, bytes) else str(source)
    data = source if isinstance(source, bytes) else _read_file(Path(source), limits)
    check_bytes(len(data), name, limits)
    _check_kind(data, name)
    with _damage_reported(name):
        image = _identify(data, name, limits)
    size = check_size(image, name, limits)
    check_passes(data, image, name, limits)
    with _damage_reported(name):
        notes = _notes(image)
        if target is not None:
            image.draft(None, (target, target))  # JPEG: decode at 1/2, 1/4, 1/8, short side >= target; others ignore it
        image.load()
        with image:
            return _finish(image, size, target, notes)


def claimed_pixels(data: bytes, limits: ImageLimits = DEFAULT_LIMITS) -> int:
    """Return how many pixels an image's header claims, without decoding it; 0 for what would be refused."""
    try:
        check_bytes(len(data), "the image", limits)
        with _damage_reported("the image"):
            width, height = check_size(_identify(data, "the image", limits), "the image", limits)
    except InputError:
        return 0
    return width * height


@contextmanager
def _damage_reported(name: str) -> Iterator[None]:
    """Turn whatever a decoder raises into one sentence; wrapped around Pillow's decoders only."""
    try:
        yield
    except InputError:
        raise
    except _DECODE_ERRORS as error:
        raise InputError(f"{begin(name)} is damaged or cut short and cannot be decoded.") from error


def _identify(data: bytes, name: str, limits: ImageLimits) -> Image.Image:
    try:
        return Image.open(TimedFile(data, name, limits), formats=FORMATS)
    except UnidentifiedImageError as error:
        if _SIGNATURE.match(data):
            raise InputError(f"{begin(name)} is damaged or cut short and cannot be decoded.") from error
        raise InputError(f"{begin(name)} is in no format this program reads; give {_READABLE}.") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise too_many_pixels(name, limits) from error


def _read_file(path: Path, limits: ImageLimits) -> bytes:
    try:
        status = path.stat()
        regular = stat.S_ISREG(status.st_mode)  # a pipe or device could block or never end
        data = path.read_bytes() if regular and status.st_size <= limits.max_bytes else b""
    except FileNotFoundError as error:
        raise InputError(f"There is no image {path}.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) else error
        raise InputError(f"The image {str(path)!r} cannot be read: {reason}.") from error
    if not regular:
        raise InputError(f"{path} is not an image but a folder or device.")
    if status.st_size > limits.max_bytes:
        check_bytes(status.st_size, str(path), limits)
    return data


def _check_kind(data: bytes, name: str) -> None:
    """Refuse what no decoder should see, with a sentence that names it."""
    head = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<svg", b"<?xml")) or b"<svg" in head[:256]:
        raise InputError(f"{begin(name)} is an SVG or XML file, not a photo; give {_READABLE}.")
    if head.startswith((b"<!doctype", b"<html", b"<head", b"<!--")):
        raise InputError(f"{begin(name)} is a web page, not an image; give {_READABLE}.")
    if (
        data[4:8] == b"ftyp"
        and data[8:12] in _HEIC_BRANDS
        and b"avif" not in data[16 : int.from_bytes(data[:4], "big")]
    ):
        raise InputError(f"{begin(name)} is a HEIC photo, which is not supported; save it as JPEG.")


def _notes(image: Image.Image) -> tuple[str, ...]:
    """Return notes on what is ignored in the file; call it before loading, since seeking may lose the first frame."""
    try:
        more = image.format in _FRAMES and getattr(image, "is_animated", False)
    except InputError:
        raise
    except _DECODE_ERRORS:  # what follows the first frame is damaged; that frame may still be sound
        image.seek(0)
        more = True
    return (_FRAMES[image.format or ""],) if more else ()


def _finish(image: Image.Image, size: tuple[int, int], target: int | None, notes: tuple[str, ...]) -> Photo:
    """Shrink a decoded image, turn it upright, convert it; ``size`` is that of the original.

    Every copy of 60 million pixels is 240 MB, so no step makes one that it does not need.
    """
    shrink = min(image.size) // target if target else 1
    turn = _orientation(image)
    if shrink > 1 and image.mode in _REDUCIBLE:
        image, shrink = image.reduce(shrink), 1
    image = to_rgb(image)
    if shrink > 1:
        image = image.reduce(shrink)
    if turn is not None:
        image = image.transpose(turn)
    return Photo(image, size[::-1] if turn in _SIDEWAYS else size, notes)


def _orientation(image: Image.Image) -> Image.Transpose | None:
    """Return the turn that sets the image upright; None for an upright one or a damaged EXIF block."""
    try:
        return _TURNS.get(image.getexif().get(ExifTags.Base.Orientation, 1))
    except _DECODE_ERRORS:
        return None

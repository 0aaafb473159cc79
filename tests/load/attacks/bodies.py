"""What hostile requests carry: lists in lists, and images that are tiny as files and huge as pixels."""

from __future__ import annotations

import functools
import io

from tests.load.questions import UploadedPhoto

SIDE = 6700
"""Pixels of a square photo of 45 megapixels, which the app's limits let in."""


@functools.cache
def nested_lists(size: int, depth: int) -> bytes:
    """Return the JSON of a list of about ``size`` bytes whose items are empty lists ``depth`` deep."""
    item = b"[" * depth + b"]" * depth
    return b"[" + b",".join([item] * (size // (len(item) + 1))) + b"]"


@functools.cache
def huge_photo(grey: int = 0) -> UploadedPhoto:
    """Draw a photo of one colour: 45 megapixels in some hundred kilobytes."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (SIDE, SIDE), (grey, grey, grey)).save(file, "PNG", compress_level=1)
    return UploadedPhoto(name=f"grey{grey}.png", mime_type="image/png", content=file.getvalue())


@functools.cache
def small_photo() -> UploadedPhoto:
    """Draw a photo as small as those on the web."""
    from tests.load.questions import draw_photos

    return draw_photos(3, count=1)[0]

"""Images as addresses that carry them: no file on the server has to be guarded and removed."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from PIL.Image import Image

PHOTO_SIDE = 640
"""Pixels of the longer side of a photo beside an answer."""


def data_url(image: Image, *, side: int | None = None, quality: int = 80) -> str:
    """Return an image as a ``data:`` address, WebP.

    Args:
        image: it stays as it is.
        side: pixels of the longer side at most; None: as large as it is.
        quality: of the compression, 0 to 100.
    """
    small, buffer = image.convert("RGB"), io.BytesIO()
    if side is not None:
        small.thumbnail((side, side))
    small.save(buffer, "WEBP", quality=quality)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")

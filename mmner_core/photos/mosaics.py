"""Mosaics: several photos in one square image, so that it is known in which part of it each thing is.

They teach attention where to look, and they measure whether it does (GridPG: Rao et al., CVPR 2022, section 3.1).
Places are boxes (left, top, right, bottom) as shares of the image's width and height.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mmner_core.photos.colour import GREY

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 448
"""Pixels of a mosaic's side: no less than the encoders read, so that a part loses nothing that they would have had."""

_DIGITS = 9  # of an image's side: what lies on an edge lies there whatever was added and multiplied before


class Box(NamedTuple):
    """A part of an image, as shares of its width and height."""

    left: float
    top: float
    right: float
    bottom: float

    @property
    def is_part(self) -> bool:
        """Whether it has an area and lies in the image."""
        return 0 <= self.left < self.right <= 1 and 0 <= self.top < self.bottom <= 1

    def mirrored(self) -> Box:
        """Return the box in the image's mirror image."""
        return Box(1 - self.right, self.top, 1 - self.left, self.bottom)

    def turned(self) -> Box:
        """Return the box with the axes exchanged: what was side by side lies one above the other."""
        return Box(self.top, self.left, self.bottom, self.right)


@dataclass(frozen=True, slots=True)
class MosaicLayout:
    """Where the photos of a mosaic go.

    Attributes:
        parts: one box per photo.
        whole: show each photo whole, on grey where it does not fill its part; otherwise fill the part, and cut off
            what stands over.
        gutter: how much of the image's side is left free around each part.
    """

    parts: tuple[Box, ...]
    whole: bool = True
    gutter: float = 0.0


def _columns(*edges: float) -> tuple[Box, ...]:
    return tuple(Box(left, 0.0, right, 1.0) for left, right in zip(edges, edges[1:], strict=False))


def grid_of_four(x: float = 0.5, y: float = 0.5) -> tuple[Box, ...]:
    """Return four parts that meet at a point."""
    return tuple(Box(*place) for place in ((0, 0, x, y), (x, 0, 1, y), (0, y, x, 1), (x, y, 1, 1)))


LAYOUTS = {
    "two": MosaicLayout(_columns(0, 0.5, 1)),
    "four": MosaicLayout(grid_of_four(), whole=False),
    "three": MosaicLayout((Box(0, 0, 0.5, 1), Box(0.5, 0, 1, 0.5), Box(0.5, 0.5, 1, 1)), whole=False),
    "forty-sixty": MosaicLayout(_columns(0, 0.4, 1), whole=False),
}
"""The layouts that are measured. ``three`` and ``forty-sixty`` are never trained on in this form: whoever looks for
seams where he has learnt them fails there."""


def random_layout(parts: int, rng: np.random.Generator) -> MosaicLayout:
    """Draw a layout for training: cuts at 35 to 65 % of the side, with or without gutter, whole photos or filled parts.

    Args:
        parts: how many photos: 1, 2 or 4.
        rng: draws.
    """
    x, y = rng.uniform(0.35, 0.65, 2)
    boxes = {1: _columns(0, 1), 2: _columns(0, x, 1), 4: grid_of_four(x, y)}[parts]
    if parts == 2 and rng.random() < 0.5:
        boxes = tuple(box.turned() for box in boxes)
    gutter = 0.0 if rng.random() < 0.5 else rng.uniform(0.005, 0.03)
    return MosaicLayout(boxes, whole=rng.random() < 0.5, gutter=gutter)


def compose(photos: Sequence[Image], layout: MosaicLayout, side: int = SIDE) -> tuple[Image, list[Box]]:
    """Put RGB photos into one square image.

    Returns:
        the image, ``side`` pixels a side, and where each photo is in it; a part shown whole is smaller than its box.
    """
    from PIL import Image, ImageOps

    mosaic = Image.new("RGB", (side, side), GREY)
    places = []
    for photo, part in zip(photos, layout.parts, strict=True):
        left, top = (round(side * (edge + layout.gutter)) for edge in part[:2])
        right, bottom = (round(side * (edge - layout.gutter)) for edge in part[2:])
        size = (max(1, right - left), max(1, bottom - top))
        fit = ImageOps.contain if layout.whole else ImageOps.fit
        shown = fit(photo, size, Image.Resampling.BILINEAR)
        x, y = left + (size[0] - shown.width) // 2, top + (size[1] - shown.height) // 2
        mosaic.paste(shown, (x, y))
        places.append(Box(x / side, y / side, (x + shown.width) / side, (y + shown.height) / side))
    return mosaic, places


def cells_inside(boxes: Sequence[Box], grid: tuple[int, int]) -> np.ndarray:
    """Return [rows, columns] bool: which cells of a grid over the image have their centre in one of the boxes.

    A box so small that it holds no centre has the cell that its own centre lies in.
    """
    rows, columns = grid
    y, x = (np.arange(rows) + 0.5) / rows, (np.arange(columns) + 0.5) / columns
    inside = np.zeros(grid, dtype=bool)
    for box in boxes:
        held = np.outer((box.top <= y) & (y <= box.bottom), (box.left <= x) & (x <= box.right))
        if not held.any():
            row, column = (box.top + box.bottom) / 2 * rows, (box.left + box.right) / 2 * columns
            held[min(int(row), rows - 1), min(int(column), columns - 1)] = True
        inside |= held
    return inside


def within(box: Box, seen: Box) -> Box | None:
    """Return the part of a box that lies in what the model sees, as shares of that; None where they do not meet."""
    width, height = seen.right - seen.left, seen.bottom - seen.top
    left, right = ((edge - seen.left) / width for edge in (box.left, box.right))
    top, bottom = ((edge - seen.top) / height for edge in (box.top, box.bottom))
    inside = Box(*(round(min(max(edge, 0.0), 1.0), _DIGITS) for edge in (left, top, right, bottom)))
    return inside if inside.is_part else None

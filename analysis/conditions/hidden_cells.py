"""Cells of an image that are hidden on purpose: painted over in its mean colour, which shows nothing."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from PIL import Image

from mmner_core.errors import InputError

MOST = 32
"""Rows and columns at the most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HiddenCells:
    """Which cells of a raster over the whole photo are hidden.

    Attributes:
        rows: one text per row of the raster, from above, with "1" for each cell that is hidden and "0" for the others.
    """

    rows: tuple[str, ...]

    @classmethod
    def read(cls, value: Any) -> HiddenCells:
        """Read what a page or a program has sent.

        Raises:
            InputError: if it is no such list of rows.
        """
        if not isinstance(value, list | tuple) or not 1 <= len(value) <= MOST:
            raise InputError(f"The hidden cells are a list of 1 to {MOST} rows, each a text of 0 and 1.")
        rows = tuple(row if isinstance(row, str) else "" for row in value)
        length = len(rows[0])
        if any(len(row) != length or set(row) - {*"01"} for row in rows) or not 1 <= length <= MOST:
            raise InputError(f"A row of hidden cells is a text of 1 to {MOST} digits 0 and 1, in all rows as many.")
        return cls(rows=rows)

    @property
    def share(self) -> float:
        """Return which share of the cells is hidden, 0 to 1."""
        return sum(row.count("1") for row in self.rows) / (len(self.rows) * len(self.rows[0]))

    def cover(self, photo: Image.Image) -> Image.Image:
        """Return an RGB photo with these cells in its mean colour."""
        pixels = np.array(photo)  # [height, width, 3], a copy
        mean = np.rint(pixels.reshape(-1, 3).mean(0)).astype(np.uint8)
        height, width = pixels.shape[:2]
        bands, stripes = _bounds(height, len(self.rows)), _bounds(width, len(self.rows[0]))
        for row, (top, bottom) in zip(self.rows, bands, strict=True):
            for cell, (left, right) in zip(row, stripes, strict=True):
                if cell == "1":
                    pixels[top:bottom, left:right] = mean
        return Image.fromarray(pixels)


def raster(size: tuple[int, int], longer: int = 12) -> tuple[int, int]:
    """Return rows and columns of nearly square cells over a photo of (width, height), the longer side in so many."""
    width, height = size
    rows, columns = (max(1, round(longer * side / max(size))) for side in (height, width))
    return rows, columns


def _bounds(length: int, parts: int) -> list[tuple[int, int]]:
    edges = np.rint(np.linspace(0, length, parts + 1)).astype(int).tolist()
    return list(pairwise(edges))

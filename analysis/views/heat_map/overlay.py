"""Draws an attention map over its image, and the colour bar that reads it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from analysis.palette import heat_colours
from mmner_core.results import Crop

_DIMMED = 0.35  # brightness left to what the crop cut away
_OUTLINE = (255, 255, 255)


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawStyle:
    """How to draw a map: its opacity (0 to 1), and smooth (bicubic) or as the plain cells the model has."""

    opacity: float = 0.5
    smooth: bool = True


def draw_overlay(
    photo: Image.Image, levels: np.ndarray | None, crop: Crop, size: tuple[int, int], style: DrawStyle
) -> Image.Image:
    """Lay a map over the photo, inside the crop, and dim what the model never saw.

    Args:
        photo: the upright photo at any display size.
        levels: [rows, columns], 0 at the start of the colour scale and 1 at its end, beyond which it does not go on;
            None for the dimmed photo alone.
        crop: the rectangle the model saw, in pixels of the original photo.
        size: (width, height) of the original photo.
        style: opacity and smoothing.
    """
    photo = photo.convert("RGB")
    left, top, right, bottom = _scaled(crop, size, photo.size)
    pixels = np.asarray(photo, dtype=np.float64)
    canvas = pixels * _DIMMED
    seen = pixels[top:bottom, left:right]
    if levels is not None:
        colours = heat_colours(_enlarged(levels, (right - left, bottom - top), style.smooth))
        seen = (1.0 - style.opacity) * _greyed(seen, min(1.0, 2.0 * style.opacity)) + style.opacity * colours
    canvas[top:bottom, left:right] = seen
    drawn = Image.fromarray(canvas.round().astype(np.uint8))
    if (left, top, right, bottom) != (0, 0, *photo.size):
        ImageDraw.Draw(drawn).rectangle((left, top, right - 1, bottom - 1), outline=_OUTLINE, width=2)
    return drawn


def colour_bar(width: int = 256) -> list[str]:
    """Return ``width`` colours from 0 to the top of the scale, as ``rgb(r g b)`` for a style sheet."""
    colours = heat_colours(np.linspace(0.0, 1.0, width)).round().astype(int)
    return [f"rgb({r} {g} {b})" for r, g, b in colours]


def _greyed(pixels: np.ndarray, amount: float) -> np.ndarray:
    """Fade the photo's own colours, so that a red roof is not taken for attention."""
    grey = pixels @ np.array([0.299, 0.587, 0.114])  # ITU-R BT.601 luma
    return (1.0 - amount) * pixels + amount * grey[..., None]


def _enlarged(levels: np.ndarray, size: tuple[int, int], smooth: bool) -> np.ndarray:
    method = Image.Resampling.BICUBIC if smooth else Image.Resampling.NEAREST
    return np.asarray(Image.fromarray(levels.astype(np.float32)).resize(size, method))


def _scaled(crop: Crop, size: tuple[int, int], shown: tuple[int, int]) -> tuple[int, int, int, int]:
    across, down = shown[0] / size[0], shown[1] / size[1]
    left = min(max(round(crop.left * across), 0), shown[0] - 1)
    top = min(max(round(crop.top * down), 0), shown[1] - 1)
    right = min(max(round(crop.right * across), left + 1), shown[0])
    bottom = min(max(round(crop.bottom * down), top + 1), shown[1])
    return left, top, right, bottom

"""Images that show nothing: plain colours, gradients, noise, stripes, "image not found" cards, pages of text.

They are for training and testing that an image of nothing changes no answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from PIL.Image import Image

SIDE = 320
KINDS = ("plain", "gradient", "noise", "stripes", "card", "page")
_CARDS = (
    "Image not found",
    "404",
    "No image available",
    "Photo unavailable",
    "image manquante",
    "Pas de photo",
    "Bild nicht verfügbar",
    "Kein Bild",
    "Imagen no disponible",
    "Sin foto",
    "Loading ...",
    "N/A",
    "?",
)
_SYLLABLES = (
    "an be ca do el fi ga ho in ja ko lu ma no or pe qui ra so tu un va we xi yo za der les con ing ment".split()
)


def image_of_nothing(kind: str, rng: np.random.Generator, side: int = SIDE) -> Image:
    """Draw an image.

    Args:
        kind: one of ``KINDS``.
        rng: draws colours, sizes and words.
        side: pixels of the short side; the long one is up to one and a half times as long.
    """
    from PIL import Image

    width, height = (round(side * rng.uniform(1, 1.5)) if rng.random() < 0.4 else side for _ in range(2))
    if kind in ("card", "page"):
        return _written(kind, width, height, rng)
    one, other = rng.integers(0, 256, (2, 3))
    if kind == "plain":
        pixels = np.broadcast_to(one, (height, width, 3))
    elif kind == "noise":
        grain = int(rng.choice([1, 1, 2, 4, 16, 40]))
        channels = 1 if rng.random() < 0.3 else 3
        coarse = rng.integers(0, 256, (-(-height // grain), -(-width // grain), channels))
        pixels = coarse.repeat(grain, 0).repeat(grain, 1)[:height, :width]
        pixels = np.broadcast_to(pixels, (height, width, 3))
    else:
        x, y = np.meshgrid(np.linspace(0, 1, width), np.linspace(0, 1, height))
        angle = rng.uniform(0, 2 * np.pi)
        along = x * np.cos(angle) + y * np.sin(angle)
        share = (along - along.min()) / np.ptp(along)
        if kind == "stripes":
            share = np.floor(share * rng.integers(6, 30)) % 2  # fewer would be a flag.astype(float)
        pixels = one + share[..., None] * (other - one)
    return Image.fromarray(pixels.astype(np.uint8), "RGB")


def _written(kind: str, width: int, height: int, rng: np.random.Generator) -> Image:
    """Draw a card with a few words in the middle, or a page full of lines."""
    from PIL import Image, ImageDraw, ImageFont

    light, dark = rng.integers(200, 256, 3), rng.integers(0, 120, 3)
    paper, ink = (light, dark) if rng.random() < 0.85 else (dark, light)
    image = Image.new("RGB", (width, height), tuple(paper.tolist()))
    draw = ImageDraw.Draw(image)
    colour = tuple(ink.tolist())
    if kind == "card":
        font = ImageFont.load_default(size=float(rng.uniform(0.05, 0.14) * width))
        if rng.random() < 0.4:
            margin = 0.1 * min(width, height)
            draw.rectangle((margin, margin, width - margin, height - margin), outline=colour, width=2)
        draw.text((width / 2, height / 2), str(rng.choice(_CARDS)), fill=colour, font=font, anchor="mm")
        return image
    size = float(rng.uniform(9, 24))
    font = ImageFont.load_default(size=size)
    left, top = 0.06 * width, 0.05 * height
    for line in range(int((height - 2 * top) / (1.3 * size))):
        words = ("".join(rng.choice(_SYLLABLES, rng.integers(1, 5))) for _ in range(int(width / size / 2)))
        text = "" if rng.random() < 0.1 else " ".join(words)
        draw.text((left, top + 1.3 * size * line), text, fill=colour, font=font)
    return image

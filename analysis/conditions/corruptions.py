"""Corrupts an image in six ways at five severities, or replaces it by a blank or noise.

Levels follow ImageNet-C (Hendrycks & Dietterich, ICLR 2019) where it has the corruption. Every photo is first
shrunk to a short side of :data:`REFERENCE_SIDE` pixels, close to what the encoders see, so that a severity means
the same on a thumbnail and on a 20-megapixel photo (noise on the latter would be averaged away by the resize).
"""

from __future__ import annotations

import io
from collections.abc import Callable
from zlib import crc32

import numpy as np
from PIL import Image, ImageFilter

from mmner_core.errors import InputError
from mmner_core.photos.colour import GREY

REFERENCE_SIDE = 256
SEVERITIES = (1, 2, 3, 4, 5)

BLUR_SIGMA = (1, 2, 3, 4, 6)  # pixels at a short side of 224 (ImageNet-C defocus and Gaussian blur)
NOISE_SIGMA = (0.08, 0.12, 0.18, 0.26, 0.38)  # of the range 0..1 (ImageNet-C Gaussian noise)
JPEG_QUALITY = (25, 18, 15, 10, 7)  # (ImageNet-C)
CROP_AREA = (0.8, 0.6, 0.4, 0.25, 0.1)  # share of the photo that is kept, ours
DARK_GAIN = (0.6, 0.45, 0.3, 0.2, 0.1)  # factor on the pixel values, ours
OCCLUDED_AREA = (0.1, 0.2, 0.35, 0.5, 0.7)  # share of the photo under a grey box, ours


def corrupt(image: Image.Image, name: str, severity: int, *, seed: int = 0) -> Image.Image:
    """Return the photo corrupted by corruption ``name`` at ``severity`` 1 (mild) to 5 (drastic), in RGB.

    The random choices (noise field, place of the crop or the box) depend on ``seed`` and ``name`` only, not on the
    severity: a higher severity makes the same damage worse.

    Raises:
        InputError: if the corruption or the severity does not exist.
    """
    if name not in CORRUPTIONS:
        raise InputError(f"Unknown corruption {name!r}; choose one of {', '.join(CORRUPTIONS)}.")
    if severity not in SEVERITIES:
        raise InputError(f"Severity {severity!r} does not exist; choose 1 (mild) to 5 (drastic).")
    rng = np.random.default_rng([seed, crc32(name.encode())])
    return CORRUPTIONS[name](_shrink(image.convert("RGB")), severity, rng)


def blank_image(size: tuple[int, int] = (REFERENCE_SIDE, REFERENCE_SIDE)) -> Image.Image:
    """Return an even grey image of (width, height) pixels: an image without content."""
    return Image.new("RGB", size, GREY)


def noise_image(size: tuple[int, int] = (REFERENCE_SIDE, REFERENCE_SIDE), *, seed: int = 0) -> Image.Image:
    """Return uniform random pixels of (width, height)."""
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0], 3), dtype=np.uint8)
    return Image.fromarray(pixels)


def _shrink(image: Image.Image) -> Image.Image:
    factor = REFERENCE_SIDE / min(image.size)
    if factor >= 1:
        return image
    width, height = (max(1, round(side * factor)) for side in image.size)
    return image.resize((width, height), Image.Resampling.BICUBIC)


def _blur(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return image.filter(ImageFilter.GaussianBlur(BLUR_SIGMA[severity - 1] * min(image.size) / 224))


def _noise(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    pixels = np.asarray(image, dtype=np.float32)
    field = rng.standard_normal(pixels.shape, dtype=np.float32)
    return Image.fromarray((pixels + 255 * NOISE_SIGMA[severity - 1] * field).clip(0, 255).astype(np.uint8))


def _jpeg(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=JPEG_QUALITY[severity - 1])
    with Image.open(buffer) as decoded:
        return decoded.convert("RGB")


def _crop(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    box = _nested_box(image.size, CROP_AREA[severity - 1], rng)
    return image.resize(image.size, Image.Resampling.BICUBIC, box=box)


def _dark(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    return image.point(lambda value: value * DARK_GAIN[severity - 1])


def _occlusion(image: Image.Image, severity: int, rng: np.random.Generator) -> Image.Image:
    occluded = image.copy()
    left, top, right, bottom = _nested_box(image.size, OCCLUDED_AREA[severity - 1], rng)
    occluded.paste(GREY, (round(left), round(top), round(right), round(bottom)))
    return occluded


def _nested_box(size: tuple[int, int], area: float, rng: np.random.Generator) -> tuple[float, float, float, float]:
    """Return a box of the photo's shape and this share of its area, around a random centre, inside the photo.

    For one centre the boxes of growing area lie within each other, which makes the damage monotone.
    """
    spans = []
    for side, centre in zip(size, rng.uniform(0.25, 0.75, 2), strict=True):
        length = side * area**0.5
        start = min(max(centre * side - length / 2, 0.0), side - length)
        spans.append((start, start + length))
    (left, right), (top, bottom) = spans
    return left, top, right, bottom


CORRUPTIONS: dict[str, Callable[[Image.Image, int, np.random.Generator], Image.Image]] = {
    "blur": _blur,
    "noise": _noise,
    "jpeg": _jpeg,
    "crop": _crop,
    "dark": _dark,
    "occlusion": _occlusion,
}

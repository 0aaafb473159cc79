"""Photo to pixels: resize, crop, normalise, and remember which part of the photo the model saw."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmner_core.config import ImageConfig
from mmner_core.encoding import Pixels
from mmner_core.results import Crop

if TYPE_CHECKING:
    from PIL.Image import Image


class Square(NamedTuple):
    """The square cut from the resized photo.

    Attributes:
        array: [size, size, 3] uint8.
        crop: what it covers, in pixels of the original photo.
    """

    array: np.ndarray
    crop: Crop


def cut_square(image: Image, config: ImageConfig, rng: np.random.Generator | None = None) -> Square:
    """Resize an RGB photo so that its short side is ``size / crop_fraction`` and cut a square of ``size``.

    Args:
        image: an upright RGB photo.
        config: the encoder's preprocessing.
        rng: cut at a random place and flip half of the time (training); None: the centre, never flipped.
    """
    from PIL import Image as PILImage

    resampling = {"bicubic": PILImage.Resampling.BICUBIC, "bilinear": PILImage.Resampling.BILINEAR}
    short = round(config.size / config.crop_fraction)
    scale = short / min(image.size)
    # One resampling straight from the original's crop rectangle; the rest of the photo is never resized.
    side = config.size / scale
    slack = (image.width - side, image.height - side)
    left, top = (s / 2 for s in slack) if rng is None else (s * rng.random() for s in slack)
    crop = Crop(left, top, left + side, top + side)
    square = image.resize((config.size, config.size), resampling[config.interpolation], box=crop)
    array = np.asarray(square)
    flipped = rng is not None and rng.random() < 0.5
    return Square(array[:, ::-1] if flipped else array, crop)


def normalise(squares: list[np.ndarray], config: ImageConfig) -> Tensor:
    """[size, size, 3] uint8 arrays -> [U, 3, size, size] float, scaled by the encoder's mean and deviation."""
    pixels = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (config.mean, config.std))
    return (pixels - mean) / std


def to_pixels(
    images: list[Image],
    vit: ImageConfig | None,
    cnn: ImageConfig | None,
    rng: np.random.Generator | None = None,
) -> tuple[Pixels, list[Crop]]:
    """Preprocess photos for each encoder; return the pixels and each photo's crop (the ViT's where there are two)."""
    encoded: dict[str, Tensor] = {}
    crops: list[Crop] = []
    for name, config in (("cnn", cnn), ("vit", vit)):
        if config is not None:
            place = rng if rng is not None else (np.random.default_rng() if config.random_crop_at_test else None)
            squares = [cut_square(image, config, place) for image in images]
            encoded[name] = normalise([square.array for square in squares], config)
            crops = [square.crop for square in squares]
    return Pixels(**encoded), crops

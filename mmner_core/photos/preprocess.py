"""Preprocesses images to pixels: resize, crop, normalise, and remember which part the model saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import ImageConfig
from mmner_core.results import Crop
from mmner_core.text.encoding import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmner_core.photos.open import Photo


T = TypeVar("T")
R = TypeVar("R")
OVERSAMPLING = 2
"""Photos are decoded at no less than this many times the size that the encoder reads, so resizing loses nothing."""


class Square(NamedTuple):
    """The square of an image that an encoder reads.

    Attributes:
        array: [size, size, 3] uint8.
        crop: what it covers, in pixels of the original photo.
    """

    array: np.ndarray
    crop: Crop


def cut_square(photo: Photo, config: ImageConfig, rng: np.random.Generator | None = None) -> Square:
    """Resize an RGB photo so that its short side is ``size / crop_fraction`` and cut a square of ``size``.

    With ``config.stretch`` above 1 the cut may be so many times as long as broad, and is squeezed into the square.
    Where ``config.resized`` is off, the square is cut from the photo as it was, and enlarged if that is smaller.

    Args:
        photo: an upright RGB photo, perhaps decoded smaller than the original.
        config: the encoder's preprocessing.
        rng: cut at a random place and flip half of the time (training); None: the centre, never flipped.
    """
    image = photo.image
    enlarge = photo.size[0] / image.width  # from this image to the original
    box = cut_box(image.size, config, enlarge, rng)
    # One resampling straight from the original's crop rectangle; the rest of the photo is never resized.
    array = _resize(image if box == (0, 0, *image.size) else image.crop(box), config)
    flipped = rng is not None and rng.random() < 0.5
    return Square(array[:, ::-1] if flipped else array, Crop(*(edge * enlarge for edge in box)))


def cut_box(
    size: tuple[int, int], config: ImageConfig, enlarge: float = 1.0, rng: np.random.Generator | None = None
) -> tuple[int, int, int, int]:
    """Return what :func:`cut_square` cuts of an image: left, top, right, bottom in its pixels.

    Args:
        size: the image's width and height.
        config: the encoder's preprocessing.
        enlarge: how many times as long the original is, where the image was decoded smaller.
        rng: cut at a random place; None: the centre.
    """
    if config.resized:
        share = config.size / round(config.size / config.crop_fraction)
        lengths = [share * min(length, config.stretch * min(size)) for length in size]
    else:
        lengths = [min(config.size / enlarge, *size)] * 2
    width, height = (max(1, round(length)) for length in lengths)
    slack = (size[0] - width, size[1] - height)
    left, top = (s // 2 for s in slack) if rng is None else (int(rng.integers(s + 1)) for s in slack)
    return left, top, left + width, top + height


def _resize(image: Image, config: ImageConfig) -> np.ndarray:
    """Resize an image to the encoder's square.

    As Pillow does, up to one step of 255, in a fifth of the time: torch's kernel takes many pixels at once.
    """
    pixels = torch.from_numpy(np.array(image)).permute(2, 0, 1)[None]  # [1, 3, height, width], channels still last
    square = F.interpolate(pixels, (config.size, config.size), mode=config.interpolation, antialias=True)
    return square[0].permute(1, 2, 0).contiguous().numpy()


def cut_squares(photos: Sequence[Photo], config: ImageConfig, rng: np.random.Generator | None = None) -> list[Square]:
    """Cut the square of each photo; see :func:`cut_square`."""
    if rng is not None:  # drawn one after the other, so that a seed gives the same squares each time
        return [cut_square(photo, config, rng) for photo in photos]
    return in_threads(lambda photo: cut_square(photo, config), photos)


def in_threads(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """Return ``work(item)`` for each item, in order, in as many threads as torch computes with.

    Decoding and resizing release Python's lock, and torch has nothing to do until they are done.
    """
    threads = min(len(items), torch.get_num_threads())
    if threads < 2:
        return list(map(work, items))
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(work, items))


def normalise(squares: list[np.ndarray], config: ImageConfig) -> Tensor:
    """[size, size, 3] uint8 arrays -> [U, 3, size, size] float, scaled by the encoder's mean and deviation."""
    rows = torch.from_numpy(np.stack(squares)).flatten(2)  # [U, size, size * 3]: rows long enough for vector registers
    mean, std = (torch.tensor(values).repeat(config.size) for values in (config.mean, config.std))  # [size * 3]
    return rows.float().div_(255).sub_(mean).div_(std).unflatten(-1, (-1, 3)).permute(0, 3, 1, 2)


def to_pixels(
    photos: list[Photo],
    vit: ImageConfig | None,
    cnn: ImageConfig | None,
    rng: np.random.Generator | None = None,
) -> tuple[Pixels, list[Crop]]:
    """Preprocess photos for each encoder; return the pixels and each photo's crop (the ViT's where there are two)."""
    encoded: dict[str, Tensor] = {}
    crops: list[Crop] = []
    for name, config in (("cnn", cnn), ("vit", vit)):
        if config is not None:
            place = rng if config.train_crop == "random" else None
            if rng is None and config.random_crop_at_test:
                place = np.random.default_rng()
            squares = cut_squares(photos, config, place)
            encoded[name] = normalise([square.array for square in squares], config)
            crops = [square.crop for square in squares]
    return Pixels(**encoded), crops


def decode_size(vit: ImageConfig | None, cnn: ImageConfig | None) -> int | None:
    """Return the short side, in pixels, at which photos need to be decoded; None: at their own size."""
    configs = [c for c in (vit, cnn) if c is not None]
    if not all(c.resized for c in configs):
        return None
    return max(OVERSAMPLING * round(c.size / c.crop_fraction) for c in configs)

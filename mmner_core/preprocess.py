"""Photo to pixels: resize, crop, normalise, and remember which part of the photo the model saw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple, TypeVar

import numpy as np
import torch
from torch import Tensor

from mmner_core.config import ImageConfig
from mmner_core.encoding import Pixels
from mmner_core.results import Crop

if TYPE_CHECKING:
    from PIL.Image import Image, Resampling

    from mmner_core.data.images import Photo


T = TypeVar("T")
R = TypeVar("R")
OVERSAMPLING = 2
"""Photos are decoded at no less than this many times the size that the encoder reads, so resizing loses nothing."""


class Square(NamedTuple):
    """What the encoder reads of a photo.

    Attributes:
        array: [size, size, 3] uint8.
        crop: what it covers, in pixels of the original photo.
    """

    array: np.ndarray
    crop: Crop


def cut_square(
    photo: Photo, config: ImageConfig, rng: np.random.Generator | None = None, *, alone: bool = False
) -> Square:
    """Resize an RGB photo so that its short side is ``size / crop_fraction`` and cut a square of ``size``.

    With ``config.stretch`` above 1 the cut may be so many times as long as broad, and is squeezed into the square.
    Where ``config.resized`` is off, the square is cut from the photo as it was, and enlarged if that is smaller.

    Args:
        photo: an upright RGB photo, perhaps decoded smaller than the original.
        config: the encoder's preprocessing.
        rng: cut at a random place and flip half of the time (training); None: the centre, never flipped.
        alone: no other photo is being cut, so that another thread is free to resize half of this one.
    """
    from PIL import Image as PILImage

    image = photo.image
    resampling = {"bicubic": PILImage.Resampling.BICUBIC, "bilinear": PILImage.Resampling.BILINEAR}
    enlarge = photo.size[0] / image.width  # from this picture to the original
    # One resampling straight from the original's crop rectangle; the rest of the photo is never resized.
    if config.resized:
        share = config.size / round(config.size / config.crop_fraction)
        width, height = (share * min(length, config.stretch * min(image.size)) for length in image.size)
    else:
        width = height = min(config.size / enlarge, *image.size)
    slack = (image.width - width, image.height - height)
    left, top = (s / 2 for s in slack) if rng is None else (s * rng.random() for s in slack)
    box = (left, top, left + width, top + height)
    array = _resize(image, config.size, resampling[config.interpolation], box, halves=alone)
    flipped = rng is not None and rng.random() < 0.5
    return Square(array[:, ::-1] if flipped else array, Crop(*(edge * enlarge for edge in box)))


def _resize(
    image: Image, size: int, resampling: Resampling, box: tuple[float, float, float, float], *, halves: bool
) -> np.ndarray:
    """Resize a box of a picture to a square, its halves side by side if asked for and if that gives the same pixels."""
    left, top, right, bottom = box
    middle = (float(np.float32(top)) + float(np.float32(bottom))) / 2  # Pillow reads boxes in single precision
    if not halves or size % 2 or float(np.float32(middle)) != middle:
        return np.asarray(image.resize((size, size), resampling, box=box))
    upper, lower = side_by_side(
        lambda: image.resize((size, size // 2), resampling, box=(left, top, right, middle)),
        lambda: image.resize((size, size // 2), resampling, box=(left, middle, right, bottom)),
    )
    return np.concatenate([np.asarray(upper), np.asarray(lower)])


def cut_squares(photos: Sequence[Photo], config: ImageConfig, rng: np.random.Generator | None = None) -> list[Square]:
    """Cut the square of each photo; see :func:`cut_square`."""
    if rng is not None:  # drawn one after the other, so that a seed gives the same squares each time
        return [cut_square(photo, config, rng) for photo in photos]
    if len(photos) == 1:
        return [cut_square(photos[0], config, alone=True)]
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


def side_by_side(aside: Callable[[], T], here: Callable[[], R]) -> tuple[T, R]:
    """Return what two calls return, ``aside`` made in another thread if torch computes in several.

    Of use where ``aside`` releases Python's lock. If both fail, the error is that of ``here``.
    """
    if torch.get_num_threads() < 2:
        result = here()
        return aside(), result
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(aside)
        result = here()
        return future.result(), result


def normalise(squares: list[np.ndarray], config: ImageConfig) -> Tensor:
    """[size, size, 3] uint8 arrays -> [U, 3, size, size] float, scaled by the encoder's mean and deviation."""
    pixels = torch.from_numpy(np.stack(squares)).permute(0, 3, 1, 2).float() / 255
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (config.mean, config.std))
    return (pixels - mean) / std


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

"""Composes training images of which it is known what each part shows: photos, mosaics, pasted photos, nothing.

Made anew in every epoch, so that no image is met twice.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mmner_core.photos.images_of_nothing import KINDS, image_of_nothing
from mmner_core.photos.mosaics import SIDE, Box, compose, random_layout
from mmner_core.photos.open import open_image

if TYPE_CHECKING:
    from PIL.Image import Image

WHOLE = Box(0.0, 0.0, 1.0, 1.0)


@dataclass(frozen=True, slots=True)
class ScenePart:
    """What a part of a scene shows.

    Attributes:
        boxes: where, in the scene.
        shown: which of the photos that the scene was made of; None: nothing that has a name.
        apart: boxes that do not belong to it though they lie within.
    """

    boxes: tuple[Box, ...]
    shown: int | None
    apart: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Scene:
    """A square image and its parts; where no part is, it shows nothing."""

    image: Image
    parts: tuple[ScenePart, ...]


def open_small(file: Path) -> Image:
    """Read a photo upright and in RGB, no larger than training needs."""
    return open_image(file, target=SIDE)


def photo_scene(photo: Image, rng: np.random.Generator, smallest: float, side: int = SIDE) -> Scene:
    """Return a random cut of a photo, squeezed into a square, mirrored half of the time.

    Args:
        photo: the photo.
        rng: draws.
        smallest: least share of each side that the cut keeps.
        side: of the scene, in pixels.
    """
    width, height = (max(1, round(length * rng.uniform(smallest, 1))) for length in photo.size)
    left, top = int(rng.integers(photo.width - width + 1)), int(rng.integers(photo.height - height + 1))
    cut = photo.crop((left, top, left + width, top + height)).resize((side, side))
    return Scene(_mirrored(cut) if rng.random() < 0.5 else cut, (ScenePart((WHOLE,), 0),))


def mosaic_scene(photos: Sequence[Image], rng: np.random.Generator, side: int = SIDE) -> Scene:
    """Return a mosaic of the photos in a random layout."""
    image, places = compose(photos, random_layout(len(photos), rng), side)
    return Scene(image, tuple(ScenePart((place,), i) for i, place in enumerate(places)))


def pasted_scene(photo: Image, ground: Image, rng: np.random.Generator, side: int = SIDE) -> Scene:
    """Return the second photo with the first pasted onto it, at a quarter to six tenths of its side."""
    scene = photo_scene(ground, rng, 0.7, side).image
    long = rng.uniform(0.25, 0.6) * side
    scale = long / max(photo.size)
    small = photo.resize((max(1, round(photo.width * scale)), max(1, round(photo.height * scale))))
    left, top = (int(rng.integers(max(1, side - length))) for length in small.size)
    scene.paste(small, (left, top))
    place = Box(left / side, top / side, (left + small.width) / side, (top + small.height) / side)
    return Scene(scene, (ScenePart((place,), 0), ScenePart((WHOLE,), 1, apart=(place,))))


def boxed_scene(photo: Image, boxes: Sequence[Box], rng: np.random.Generator, side: int = SIDE) -> Scene:
    """Return a photo with boxes, cut at random around them, mirrored half of the time; the rest of it shows nothing."""
    around = Box(
        min(b.left for b in boxes), min(b.top for b in boxes), max(b.right for b in boxes), max(b.bottom for b in boxes)
    )
    left, top = rng.uniform(0, min(around.left, 0.35)), rng.uniform(0, min(around.top, 0.35))
    right, bottom = rng.uniform(max(around.right, 0.65), 1), rng.uniform(max(around.bottom, 0.65), 1)
    edges = (left * photo.width, top * photo.height, right * photo.width, bottom * photo.height)
    image = photo.crop(tuple(map(round, edges))).resize((side, side))  # type: ignore[arg-type]
    width, height = right - left, bottom - top
    places = [
        Box((b.left - left) / width, (b.top - top) / height, (b.right - left) / width, (b.bottom - top) / height)
        for b in boxes
    ]
    if rng.random() < 0.5:
        image, places = _mirrored(image), [place.mirrored() for place in places]
    return Scene(image, (ScenePart(tuple(places), 0),))


def empty_scene(rng: np.random.Generator, side: int = SIDE) -> Scene:
    """Return an image that shows nothing."""
    image = image_of_nothing(str(rng.choice(KINDS)), rng)
    return Scene(image.resize((side, side)), (ScenePart((WHOLE,), None),))


def nothing_beside(photo: Image, rng: np.random.Generator, side: int = SIDE) -> Scene:
    """Return a mosaic of a photo and an image that shows nothing."""
    order = rng.permutation(2)
    shown = [(photo, empty_scene(rng).image)[i] for i in order]
    image, places = compose(shown, random_layout(2, rng), side)
    return Scene(image, tuple(ScenePart((place,), None if i else 0) for i, place in zip(order, places, strict=True)))


def _mirrored(image: Image) -> Image:
    from PIL import ImageOps

    return ImageOps.mirror(image)

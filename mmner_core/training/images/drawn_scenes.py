"""Draws scenes at random from images of known type, with the target types of each of their parts.

Shapes: R parts of a scene, P cells, T types and one for mere objects and nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, dataclass
from typing import TYPE_CHECKING

import numpy as np

from mmner_core.photos.mosaics import cells_inside
from mmner_core.training.images.boxed_photos import BoxedPhoto
from mmner_core.training.images.scenes import (
    Scene,
    ScenePart,
    boxed_scene,
    empty_scene,
    mosaic_scene,
    nothing_beside,
    open_small,
    pasted_scene,
    photo_scene,
)
from mmner_core.training.images.typed_photos import TypedPhotos

if TYPE_CHECKING:
    from PIL.Image import Image

SMALLEST_CUT = 0.7
"""A photo is cut at random to no less than this share of each side."""


@dataclass(frozen=True, kw_only=True)
class SceneShares:
    """How many of the scenes are of each kind; of sum 1."""

    photo: float = 0.3
    two: float = 0.22
    four: float = 0.18
    pasted: float = 0.13
    boxed: float = 0.09
    nothing: float = 0.08


@dataclass(frozen=True, slots=True)
class DrawnScene:
    """A scene as training needs it.

    Attributes:
        image: square.
        masks: [R, P] bool, the cells of each part, at least one.
        targets: [R, T] what each part is to tell, as probabilities.
    """

    image: Image
    masks: np.ndarray
    targets: np.ndarray


class Scenes:
    """Draws scenes.

    Args:
        photos: whole photos of known type.
        boxed: photos with boxes, of the same types; none: no such scenes.
        types: names of the types, in the order of the photos' targets.
        grid: (rows, columns) of cells.
        shares: of each kind.
    """

    def __init__(
        self,
        photos: TypedPhotos,
        boxed: Sequence[BoxedPhoto],
        types: Sequence[str],
        grid: tuple[int, int],
        shares: SceneShares,
    ) -> None:
        self._photos, self._boxed, self._grid = photos, list(boxed), grid
        self._targets = photos.targets.numpy()
        self._types = {name: np.eye(self._targets.shape[1], dtype=np.float32)[i] for i, name in enumerate(types)}
        self._nothing = np.eye(self._targets.shape[1], dtype=np.float32)[-1]
        # Rare types are drawn more often than they occur, but less than evenly: few photos would be learnt by heart.
        per_type = np.maximum(self._targets.sum(0), 1)
        weight = (self._targets / np.sqrt(per_type)).sum(1)
        self._weight = weight / weight.sum()
        place = list(types).index("LOC") if "LOC" in types else len(types)
        ground = weight * (self._targets[:, [place, -1]].sum(1) > 0.5)  # where something else may well stand
        self._ground = ground / ground.sum() if ground.any() else self._weight
        wanted = np.array(astuple(shares))
        wanted[4] *= bool(self._boxed)
        self._shares = wanted / wanted.sum()

    def draw(self, rng: np.random.Generator) -> DrawnScene:
        """Draw a scene."""
        kind = rng.choice(6, p=self._shares)
        if kind == 4:
            return self._boxed_scene(rng)
        if kind == 5:
            if rng.random() < 0.5:
                return self._drawn(empty_scene(rng), [])
            [i] = self._draw_photos(1, rng)
            return self._drawn(nothing_beside(self._open(i), rng), [i])
        if kind == 3:
            [top], [ground] = self._draw_photos(1, rng), self._draw_photos(1, rng, self._ground)
            return self._drawn(pasted_scene(self._open(top), self._open(ground), rng), [top, ground])
        rows = self._draw_photos((1, 2, 4)[kind], rng)
        photos = [self._open(i) for i in rows]
        scene = photo_scene(photos[0], rng, SMALLEST_CUT) if kind == 0 else mosaic_scene(photos, rng)
        return self._drawn(scene, rows)

    def whole_photos(self) -> list[int]:
        """Return the rows of all photos."""
        return list(range(len(self._photos.files)))

    def open_whole(self, row: int) -> DrawnScene:
        """Return a photo as it is."""
        return self._drawn(photo_scene(self._open(row), np.random.default_rng(row), 1.0), [row])

    def _draw_photos(self, number: int, rng: np.random.Generator, weight: np.ndarray | None = None) -> list[int]:
        weights = self._weight if weight is None else weight
        few = bool(number > np.count_nonzero(weights))
        return rng.choice(len(weights), number, replace=few, p=weights).tolist()

    def _open(self, row: int) -> Image:
        return open_small(self._photos.files[row])

    def _boxed_scene(self, rng: np.random.Generator) -> DrawnScene:
        photo = self._boxed[int(rng.integers(len(self._boxed)))]
        scene = boxed_scene(open_small(photo.file), photo.boxes, rng)
        return DrawnScene(scene.image, self._masks(scene.parts), self._types[photo.type][None])

    def _drawn(self, scene: Scene, rows: Sequence[int]) -> DrawnScene:
        targets = [self._nothing if part.shown is None else self._targets[rows[part.shown]] for part in scene.parts]
        return DrawnScene(scene.image, self._masks(scene.parts), np.stack(targets))

    def _masks(self, parts: Sequence[ScenePart]) -> np.ndarray:
        masks = []
        for part in parts:
            inside = cells_inside(part.boxes, self._grid)
            alone = inside & ~cells_inside(part.apart, self._grid) if part.apart else inside
            masks.append((alone if alone.any() else inside).ravel())
        return np.stack(masks)

"""The map of the contrastive space: text and image points in two dimensions, and a place for the visitor's pair.

A map is a table of coordinates that a run stores beside its vectors; placing a new point needs those two and nothing
else, in particular no pickled model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from analysis.space.retrieval import unit_rows
from analysis.space.umap_layout import UmapSettings, place_on_layout, umap_layout
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

COORDINATES = ("umap_x", "umap_y", "pca_x", "pca_y")
MIN_POINTS = 4


def stack_pairs(text: np.ndarray, image: np.ndarray, has_image: np.ndarray) -> tuple[np.ndarray, pd.DataFrame]:
    """Stack texts and images as the points of one map.

    Args:
        text: [N, D] one vector per sentence.
        image: [N, D] one per sentence; the rows of sentences without a photo are not looked at.
        has_image: [N] booleans.

    Returns:
        [P, D] vectors, and one row per point with its ``sentence`` (0 to N-1) and ``modality`` ("text", "image").
    """
    import pandas as pd

    with_image = np.flatnonzero(has_image)
    sentence = np.concatenate([np.arange(len(text)), with_image])
    modality = np.repeat(["text", "image"], [len(text), len(with_image)])
    return np.concatenate([text, image[with_image]]), pd.DataFrame({"sentence": sentence, "modality": modality})


def map_points(vectors: np.ndarray, settings: UmapSettings | None = None) -> pd.DataFrame:
    """Lay out vectors [P, D]; return ``umap_x``, ``umap_y``, ``pca_x``, ``pca_y`` per row.

    Vectors are compared by cosine. Equal vectors (one photo of several sentences, one sentence with several photos)
    are laid out once and share their place.

    Raises:
        InputError: if fewer than four vectors differ, or one is zero or not finite.
    """
    import pandas as pd

    unit, first, point_of = _distinct(vectors)
    distinct = unit[first]
    if len(distinct) < MIN_POINTS or unit.shape[1] < 2:
        raise InputError(
            f"A map needs at least {MIN_POINTS} different vectors of 2 or more dimensions; "
            f"there are {len(distinct)} of {unit.shape[1]}."
        )
    layout = umap_layout(distinct, settings or UmapSettings())
    plane = _principal_plane(distinct)
    table = np.concatenate([layout, _on_plane(distinct, plane)], axis=1)[point_of]
    return pd.DataFrame(table.astype(np.float32), columns=list(COORDINATES))


def place_points(
    new: np.ndarray, vectors: np.ndarray, coordinates: pd.DataFrame, settings: UmapSettings | None = None
) -> pd.DataFrame:
    """Place vectors [n, D] on the map that :func:`map_points` made of ``vectors`` [P, D] with the same settings.

    Raises:
        InputError: if the map's vectors and coordinates differ in number, the new vectors have another width, or one
            is zero or not finite.
    """
    import pandas as pd

    if len(vectors) != len(coordinates) or new.shape[1:] != vectors.shape[1:]:
        raise InputError(
            f"Vectors {list(new.shape)} cannot be placed on a map of vectors {list(vectors.shape)} with "
            f"{len(coordinates)} coordinates; were they made by another checkpoint?"
        )
    unit, first, _ = _distinct(vectors)
    distinct, points = unit[first], unit_rows(new, "new")
    known = coordinates[["umap_x", "umap_y"]].to_numpy()[first]
    placed = place_on_layout(points, distinct, known, settings or UmapSettings())
    table = np.concatenate([placed, _on_plane(points, _principal_plane(distinct))], axis=1)
    return pd.DataFrame(table.astype(np.float32), columns=list(COORDINATES))


def _distinct(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return unit rows [P, D], the rows that stand for the distinct ones [Q], and which of these each row is [P]."""
    unit = unit_rows(vectors, "map")
    places: dict[bytes, int] = {}
    point_of = np.array([places.setdefault(row.tobytes(), len(places)) for row in unit], dtype=int)
    first = np.unique(point_of, return_index=True)[1]
    return unit, first, point_of


def _principal_plane(vectors: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return mean [D] and the first two principal directions [2, D], each with its largest entry positive."""
    mean = vectors.mean(axis=0, dtype=float)
    centred = vectors - mean
    _, directions = np.linalg.eigh(centred.T @ centred)
    plane = directions[:, :-3:-1].T
    signs = np.sign(plane[np.arange(2), np.abs(plane).argmax(axis=1)])
    return mean, plane * signs[:, None]


def _on_plane(vectors: np.ndarray, plane: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    mean, directions = plane
    return (vectors - mean) @ directions.T

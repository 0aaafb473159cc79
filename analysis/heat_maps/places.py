"""Scores a heat map against a place in the image: hit, mass and chance, within what the model sees.

Places are boxes as shares of the whole image, while the cells of a map lie on what the encoder cut out of it; every
box is brought into the coordinates of that cut first. Weights [rows, columns] say how far each cell belongs to a place:
0 or 1, or a share where several places claim the cell.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from mmner_core.photos.mosaics import Box, cells_inside, within


class Heat(NamedTuple):
    """A heat map and where it lies.

    Attributes:
        cells: [rows, columns] the more, the hotter.
        seen: the part of the image that the cells cover.
    """

    cells: np.ndarray
    seen: Box


def in_boxes(boxes: Sequence[Box], heat: Heat) -> np.ndarray | None:
    """Return the weights of the cells that lie in one of the boxes; None where the model sees nothing of any."""
    visible = [place for box in boxes if (place := within(box, heat.seen)) is not None]
    return cells_inside(visible, (heat.cells.shape[0], heat.cells.shape[1])).astype(float) if visible else None


def in_parts(parts: Sequence[Box], heat: Heat) -> np.ndarray:
    """Return [parts, rows, columns] weights of the parts of a mosaic.

    The parts share the cells out among them: one whose centre lies on an edge belongs to its parts in equal shares. So
    over all parts the hits of a map sum to 1, whatever it shows.
    """
    inside = np.zeros((len(parts), *heat.cells.shape))
    for part, weights in zip(parts, inside, strict=True):
        held = in_boxes([part], heat)
        weights += 0 if held is None else held
    return inside / inside.sum(axis=0)


def hit(heat: Heat, weights: np.ndarray) -> float:
    """Say whether the hottest cell lies in the place: 1, 0, or between, as equally hot cells count their mean."""
    return float(weights[heat.cells == heat.cells.max()].mean())


def mass(heat: Heat, weights: np.ndarray) -> float:
    """Return the share of the map's positive part that lies in the place; that of the cells where there is none."""
    positive = np.maximum(heat.cells, 0.0)
    total = float(positive.sum())
    return float((positive * weights).sum() / total) if total > 0 else chance(weights)


def chance(weights: np.ndarray) -> float:
    """Return the share of the cells that lie in the place: how often a cell drawn at random would."""
    return float(weights.mean())

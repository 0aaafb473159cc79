"""The pointing game on boxes (Zhang et al., ECCV 2016): does a map's hottest cell lie on the named entity?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.heat_maps.boxes import BoxRow
from analysis.heat_maps.places import chance, hit, in_boxes, mass
from analysis.heat_maps.pointing_maps import Ask, HeatMaps

if TYPE_CHECKING:
    from PIL import Image

BROKEN, OUTSIDE = "rows whose photo cannot be decoded", "rows whose boxes lie outside of what the model sees"
COLUMNS = ["where", "image", "type", "method", "hit", "mass", "chance"]


def play_boxes(
    rows: Sequence[BoxRow],
    heat_maps: HeatMaps,
    open_image: Callable[[Path], Image.Image | None],
    progress: Callable[[], object] = lambda: None,
) -> tuple[pd.DataFrame, Counter[str], list[str]]:
    """Ask for the maps of each name, in each of its sentences, and see where they point.

    Args:
        rows: what is named where.
        heat_maps: makes the maps of a photo, by method.
        open_image: reads a photo upright and in RGB; None for one that cannot be decoded.
        progress: called after each row.

    Returns:
        One row per row of the data and method, its ``hit``, ``mass`` and ``chance`` being means over the sentences,
        with ``where``, ``image`` and ``type``; how many rows were left out, by reason; and where those stand whose
        boxes the model does not see, since it reads a part of the photo only.
    """
    found: list[dict[str, object]] = []
    left_out, outside = Counter[str](), []
    for path, of_photo in groupby(sorted(rows, key=lambda row: row.image), key=lambda row: row.image):
        photo = open_image(path)
        ask = None if photo is None else heat_maps(photo)
        for row in of_photo:
            scores = None if ask is None else _score(row, ask)
            if scores is None:
                left_out[BROKEN] += 1
            elif not scores:
                left_out[OUTSIDE] += 1
                outside.append(row.where)
            else:
                fixed = {"where": row.where, "image": str(row.image), "type": row.type}
                found += [{**fixed, "method": method, **means} for method, means in scores.items()]
            progress()
    return pd.DataFrame(found, columns=COLUMNS), left_out, outside


def _score(row: BoxRow, ask: Ask) -> dict[str, dict[str, float]]:
    """Return each method's mean score over the sentences, without methods whose cells see none of the boxes."""
    scores: dict[str, list[tuple[float, float, float]]] = {}
    for words, entity in row.sentences:
        for method, heat in ask(words, entity).items():
            weights = in_boxes(row.boxes, heat)
            if weights is not None:
                scores.setdefault(method, []).append((hit(heat, weights), mass(heat, weights), chance(weights)))
    return {
        method: dict(zip(("hit", "mass", "chance"), np.mean(of_method, axis=0).tolist(), strict=True))
        for method, of_method in scores.items()
    }

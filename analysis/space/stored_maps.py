"""The maps stored with a run: sentences with their images, and entities, each laid out once.

``coordinates.parquet`` has one row per point:

================ ==================================================================================================
column           what it holds
================ ==================================================================================================
map              "pairs" (contrastive space) or "entities" (word vectors)
modality         "text", "image" or "entity"
sentence_id      the sentence
entity           row of the arrays ``entity...`` of :mod:`analysis.run.vectors`; -1 on the map "pairs"
umap_x, umap_y   UMAP coordinates
pca_x, pca_y     the first two principal components
================ ==================================================================================================

Of more than ``MAX_PAIRS`` sentences or ``MAX_ENTITIES`` entities a seeded sample is on the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.run.vectors import IMAGE, image_streams, main_stream
from analysis.space.projection import map_points, stack_pairs
from analysis.space.umap_layout import UmapSettings
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

PAIRS, ENTITIES = "pairs", "entities"
MAX_PAIRS = 5000
MAX_ENTITIES = 5000


def build_maps(arrays: Mapping[str, np.ndarray], settings: UmapSettings | None = None) -> pd.DataFrame:
    """Lay out the maps that the arrays allow, without those of too few distinct points.

    Args:
        arrays: see :mod:`analysis.run.vectors`.
        settings: of the layout; its seed also draws the samples.
    """
    settings = settings or UmapSettings()
    rng = np.random.default_rng(settings.seed)
    frames = []
    for points in (_pair_points(arrays, rng), _entity_points(arrays, rng)):
        try:
            coordinates = map_points(_vectors(arrays, points), settings) if len(points) else None
        except InputError:
            coordinates = None  # fewer than four different points are no map
        if coordinates is not None:
            frames.append(pd.concat([points, coordinates], axis=1))
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def map_vectors(run: EvaluationRun, name: str = PAIRS) -> tuple[np.ndarray, pd.DataFrame]:
    """Return the vectors [P, D] of a stored map and its points, row by row, as ``projection.place_points`` wants them.

    Raises:
        InputError: if the run has no such map.
    """
    coordinates = run.coordinates()
    if coordinates is None or name not in set(coordinates["map"]):
        raise InputError(
            f"Run {run.name!r} holds no map {name!r}; write it from a checkpoint with at least four pairs."
        )
    points = coordinates[coordinates["map"] == name].reset_index(drop=True)
    return _vectors({array: run.embedding(array) for array in run.embedding_names()}, points), points


def _pair_points(arrays: Mapping[str, np.ndarray], rng: np.random.Generator) -> pd.DataFrame:
    if "text" not in arrays:
        return pd.DataFrame()
    rows = _sample(len(arrays["text"]), MAX_PAIRS, rng)
    _, points = stack_pairs(arrays["text"][rows], arrays["text"][rows], arrays["has_image"][rows] > 0)
    sentence = arrays["sentence_id"][rows][points["sentence"].to_numpy()]
    return pd.DataFrame({"map": PAIRS, "modality": points["modality"], "sentence_id": sentence, "entity": -1})


def _entity_points(arrays: Mapping[str, np.ndarray], rng: np.random.Generator) -> pd.DataFrame:
    rows = _sample(len(arrays["entity"]), MAX_ENTITIES, rng)
    sentence = arrays["entity_sentence_id"][rows]
    return pd.DataFrame({"map": ENTITIES, "modality": "entity", "sentence_id": sentence, "entity": rows})


def _vectors(arrays: Mapping[str, np.ndarray], points: pd.DataFrame) -> np.ndarray:
    """Return the vector of each point, [P, D]."""
    if (points["map"] == ENTITIES).all():
        return arrays["entity"][points["entity"].to_numpy()].astype(np.float32)
    row_of = {int(sentence): row for row, sentence in enumerate(arrays["sentence_id"])}
    rows = np.array([row_of[sentence] for sentence in points["sentence_id"]])
    image = arrays[IMAGE + main_stream(image_streams(tuple(arrays)))]
    is_text = (points["modality"] == "text").to_numpy()
    return np.where(is_text[:, None], arrays["text"][rows], image[rows]).astype(np.float32)


def _sample(n: int, limit: int, rng: np.random.Generator) -> np.ndarray:
    return np.arange(n) if n <= limit else np.sort(rng.choice(n, limit, replace=False))

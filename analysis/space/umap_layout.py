"""UMAP (McInnes, Healy & Melville 2018) with a fixed seed, exact neighbours, and placing of new points without a model.

The library's estimator can only be kept as a pickle, compiles an approximate neighbour search for half a minute on
first use, and places a point differently with each batch it comes in (lmcinnes/umap#158). So its public building
blocks are called here in the estimator's order, on exact cosine neighbours. Everything that placing needs is the
stored vectors and coordinates. Same seed and machine: same coordinates; across machines floating point may differ,
which is why coordinates are stored.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from types import ModuleType

import numpy as np

SAME_PLACE = 1e-6  # cosine distance below which a new point is one that is on the map already
_ROWS_PER_CHUNK = 1024
_PLACE_EPOCHS = 100  # the estimator's own number for few new points
_PLACE_RUNS = 15
_INITIAL_ALPHA = 1.0
_NEGATIVE_SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class UmapSettings:
    """Settings of a map; placing a new point needs those the map was made with.

    Attributes:
        neighbours: how many neighbours make up a point's surroundings; fewer where there are fewer points.
        min_dist: how tightly points may be packed, in map units.
        epochs: passes of the optimiser; 200 is the library's choice for large data.
        seed: of everything random.
    """

    neighbours: int = 15
    min_dist: float = 0.1
    epochs: int = 200
    seed: int = 42


def umap_layout(vectors: np.ndarray, settings: UmapSettings) -> np.ndarray:
    """Lay out distinct unit vectors [N, D], N >= 4 and D >= 2, by cosine; return coordinates [N, 2].

    The layout starts from the first two principal components, so that large-scale structure such as the modality gap
    keeps its place, and no spectral solver can fail on a disconnected graph.
    """
    umap = _umap()
    k = min(settings.neighbours, len(vectors) - 1)
    indices, distances = cosine_neighbours(vectors, vectors, k)
    a, b = umap.find_ab_params(1.0, settings.min_dist)
    state = np.random.RandomState(settings.seed)  # noqa: NPY002 (the library takes no Generator)
    graph, _, _ = umap.fuzzy_simplicial_set(
        vectors, k, state, "cosine", knn_indices=indices, knn_dists=distances, verbose=False
    )
    coordinates, _ = umap.simplicial_set_embedding(
        vectors, graph, 2, _INITIAL_ALPHA, a, b, 1.0, _NEGATIVE_SAMPLES, settings.epochs, "pca", state, "cosine", {},
        False, {}, False,
    )  # fmt: skip
    return coordinates


def place_on_layout(
    new: np.ndarray, vectors: np.ndarray, coordinates: np.ndarray, settings: UmapSettings
) -> np.ndarray:
    """Place unit vectors [n, D] on the map of ``vectors`` [N, D] at ``coordinates`` [N, 2]; return [n, 2].

    The steps are those of the estimator's ``transform`` with exact neighbours: weighted mean of the neighbours, then
    100 epochs in which only the new point moves. These throw the point about by up to a cluster's radius, depending on
    the random numbers, so the median of 15 runs is taken. Each point is placed alone, so its place does not depend on
    the others; one that is on the map already gets the place it has.
    """
    placed = [_place_one(point, vectors, coordinates.astype(np.float32), settings) for point in new]
    return np.stack(placed) if placed else np.empty((0, 2), dtype=np.float32)


def _place_one(point: np.ndarray, vectors: np.ndarray, coordinates: np.ndarray, settings: UmapSettings) -> np.ndarray:
    umap = _umap()
    k = min(settings.neighbours, len(vectors) - 1)
    indices, distances = cosine_neighbours(point[None], vectors, k)
    if distances[0, 0] < SAME_PLACE:
        return coordinates[indices[0, 0]]
    sigmas, rhos = umap.smooth_knn_dist(distances, float(k), local_connectivity=0.0)
    rows, columns, weights, _ = umap.compute_membership_strengths(indices, distances, sigmas, rhos, bipartite=True)
    start = np.average(coordinates[columns], axis=0, weights=weights)
    pulling = weights >= weights.max() / _PLACE_EPOCHS  # weaker ones would get no turn in so few epochs
    a, b = umap.find_ab_params(1.0, settings.min_dist)
    state = np.random.RandomState(settings.seed)  # noqa: NPY002 (the library takes no Generator)
    runs = [
        umap.optimize_layout_euclidean(
            start[None].astype(np.float32),
            coordinates,
            rows[pulling],
            columns[pulling],
            _PLACE_EPOCHS,
            len(vectors),
            umap.make_epochs_per_sample(weights[pulling], _PLACE_EPOCHS),
            a,
            b,
            state.randint(np.iinfo(np.int32).min + 1, np.iinfo(np.int32).max - 1, 3).astype(np.int64),
            1.0,
            _INITIAL_ALPHA / 4,
            _NEGATIVE_SAMPLES,
            parallel=False,
        )[0]
        for _ in range(_PLACE_RUNS)
    ]
    return np.median(runs, axis=0)


def cosine_neighbours(queries: np.ndarray, vectors: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the k nearest of the unit ``vectors`` for each query, nearest first: indices and cosine distances [n, k].

    Exact: 10,000 by 10,000 in 384 dimensions take about a second, less than compiling an approximate search.
    """
    indices = np.empty((len(queries), k), dtype=np.int32)
    distances = np.empty((len(queries), k), dtype=np.float32)
    for start in range(0, len(queries), _ROWS_PER_CHUNK):
        rows = slice(start, start + _ROWS_PER_CHUNK)
        away = np.maximum(1 - queries[rows] @ vectors.T, 0)
        nearest = np.argpartition(away, k - 1, axis=1)[:, :k]
        order = np.argsort(np.take_along_axis(away, nearest, axis=1), axis=1, kind="stable")
        indices[rows] = np.take_along_axis(nearest, order, axis=1)
        distances[rows] = np.take_along_axis(away, indices[rows], axis=1)
    return indices, distances


def _umap() -> ModuleType:
    """Import the library without its notice that TensorFlow is missing, which nothing here needs."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Tensorflow not installed")
        import umap.umap_
    return umap.umap_

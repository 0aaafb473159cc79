"""The map: repeats, keeps clusters, equal vectors share a place, new points land where UMAP's transform has them."""

import warnings

import numpy as np
import pandas as pd
import pytest

from analysis.space.projection import COORDINATES, map_points, place_points, stack_pairs
from analysis.space.retrieval import unit_rows
from analysis.space.umap_layout import UmapSettings, cosine_neighbours, place_on_layout
from mmner_core.errors import InputError
from tests.told import refused

pytestmark = pytest.mark.slow  # compiles UMAP

SETTINGS = UmapSettings(neighbours=8, epochs=50)


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """Sixty vectors in three clusters of twenty."""
    rng = np.random.default_rng(0)
    return np.repeat(rng.normal(size=(3, 10)), 20, axis=0) + 0.25 * rng.normal(size=(60, 10))


@pytest.fixture(scope="module")
def drawn(vectors: np.ndarray) -> pd.DataFrame:
    """Their map (the first one compiles the library's loops, which takes some seconds)."""
    return map_points(vectors, SETTINGS)


def test_the_map_is_the_same_on_every_visit(vectors: np.ndarray, drawn: pd.DataFrame) -> None:
    """The same seed gives the same coordinates to the last bit; another seed gives others."""
    pd.testing.assert_frame_equal(map_points(vectors, SETTINGS), drawn, check_exact=True)
    other = map_points(vectors, UmapSettings(neighbours=8, epochs=50, seed=1))
    assert not np.allclose(other["umap_x"], drawn["umap_x"])


@pytest.mark.parametrize("axes", [["umap_x", "umap_y"], ["pca_x", "pca_y"]])
def test_clusters_stay_together(drawn: pd.DataFrame, axes: list[str]) -> None:
    """On both maps each point's nearest neighbours are of its own cluster."""
    points = drawn[axes].to_numpy()
    away = np.linalg.norm(points[:, None] - points[None], axis=-1)
    nearest = np.argsort(away, axis=1)[:, 1:6]
    assert (nearest // 20 == np.arange(60)[:, None] // 20).mean() > 0.97


def test_pca_equals_singular_value_decomposition(vectors: np.ndarray, drawn: pd.DataFrame) -> None:
    """The PCA coordinates are those of the textbook, up to the sign of each axis."""
    unit = unit_rows(vectors, "x")
    left, scale, _ = np.linalg.svd(unit - unit.mean(axis=0), full_matrices=False)
    found = drawn[["pca_x", "pca_y"]].to_numpy()
    np.testing.assert_allclose(np.abs(found), np.abs(left[:, :2] * scale[:2]), atol=1e-5)


def test_neighbours_equal_a_full_sort() -> None:
    """Nearest neighbours come in order of distance and are the ones that sorting everything finds."""
    unit = unit_rows(np.random.default_rng(3).normal(size=(50, 6)), "x")
    indices, distances = cosine_neighbours(unit[:7], unit, 5)
    away = 1 - unit[:7] @ unit.T
    np.testing.assert_array_equal(indices, np.argsort(away, axis=1)[:, :5])
    np.testing.assert_allclose(distances, np.sort(away, axis=1)[:, :5].clip(0), atol=1e-6)


def test_placing_equals_the_estimators_transform(vectors: np.ndarray) -> None:
    """Points placed from stored vectors and coordinates land where a kept UMAP model puts them on average."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportWarning)
        import umap
    unit = unit_rows(vectors, "x")
    model = umap.UMAP(n_neighbors=8, metric="cosine", random_state=7, n_jobs=1)
    coordinates = model.fit_transform(unit)
    new = unit_rows(vectors[::6] + 0.2 * np.random.default_rng(5).normal(size=(10, 10)), "new")
    theirs = []
    for model.transform_seed in range(30):
        theirs.append(model.transform(new))
    ours = place_on_layout(new, unit, coordinates, SETTINGS)
    away = np.linalg.norm(ours - np.median(theirs, axis=0), axis=1)
    assert np.median(away) < 0.2
    assert away.max() < 1  # one point between two neighbours hops from one to the other with the seed
    assert np.ptp(coordinates, axis=0).min() > 10  # what these are small against


def test_a_placed_point_lands_in_its_cluster(vectors: np.ndarray, drawn: pd.DataFrame) -> None:
    """A visitor's vector near cluster 1 lies among the points of cluster 1, on both maps."""
    new = vectors[20:40].mean(axis=0, keepdims=True)
    placed = place_points(new, vectors, drawn, SETTINGS)
    for axes in (["umap_x", "umap_y"], ["pca_x", "pca_y"]):
        away = np.linalg.norm(drawn[axes].to_numpy() - placed[axes].to_numpy(), axis=1)
        assert set(np.argsort(away)[:5] // 20) == {1}


def test_a_place_does_not_depend_on_the_batch(vectors: np.ndarray, drawn: pd.DataFrame) -> None:
    """Two points placed together lie where each lies alone (lmcinnes/umap#158)."""
    new = vectors[[1, 41]] + 0.1
    together = place_points(new, vectors, drawn, SETTINGS)
    for i in range(2):
        alone = place_points(new[i : i + 1], vectors, drawn, SETTINGS)
        pd.testing.assert_frame_equal(alone, together.iloc[i : i + 1].reset_index(drop=True), check_exact=True)


def test_a_point_of_the_map_keeps_its_place(vectors: np.ndarray, drawn: pd.DataFrame) -> None:
    """Placing a stored vector gives its stored coordinates."""
    placed = place_points(vectors[[4, 30]], vectors, drawn, SETTINGS)
    pd.testing.assert_frame_equal(placed, drawn.iloc[[4, 30]].reset_index(drop=True), atol=1e-5)


def test_equal_vectors_share_a_place(vectors: np.ndarray, drawn: pd.DataFrame) -> None:
    """A photo of three sentences is one place, and does not crowd out the neighbours of others."""
    repeated = map_points(np.concatenate([vectors, vectors[:1], vectors[:1] * 2]), SETTINGS)
    pd.testing.assert_frame_equal(repeated.iloc[:60], drawn)
    assert (repeated.iloc[[60, 61]].to_numpy() == drawn.iloc[0].to_numpy()).all()


def test_stacking_keeps_track_of_sentence_and_modality() -> None:
    """Texts come first, then the images of the sentences that have one."""
    text, image = np.arange(6.0).reshape(3, 2), np.arange(10.0, 16).reshape(3, 2)
    stacked, points = stack_pairs(text, image, np.array([True, False, True]))
    np.testing.assert_array_equal(stacked, np.concatenate([text, image[[0, 2]]]))
    assert points["sentence"].tolist() == [0, 1, 2, 0, 2]
    assert points["modality"].tolist() == ["text"] * 3 + ["image"] * 2


def test_smallest_map() -> None:
    """Four points make a map with finite coordinates."""
    assert np.isfinite(map_points(np.eye(4))[list(COORDINATES)].to_numpy()).all()


def test_what_cannot_be_mapped_is_said() -> None:
    """Too few different points, and a point of another width."""
    with refused("at least 4", "3"):
        map_points(np.eye(3)[[0, 1, 2, 0, 1]])
    with pytest.raises(InputError, match="another checkpoint"):
        place_points(np.ones((1, 3)), np.eye(4), pd.DataFrame(np.zeros((4, 4)), columns=list(COORDINATES)))

"""Maps are made of the stored vectors, and their vectors can be found again to place a new point."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.evaluation.writer import write_run
from analysis.run.folder import EvaluationRun
from analysis.run.vectors import sample_entities
from analysis.space.projection import place_points
from analysis.space.stored_maps import ENTITIES, PAIRS, build_maps, map_vectors
from analysis.space.umap_layout import UmapSettings
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table

pytestmark = pytest.mark.slow  # seconds each

N, D, M = 12, 6, 9
SETTINGS = UmapSettings(epochs=20, seed=3)


@pytest.fixture(scope="module")
def arrays() -> dict[str, np.ndarray]:
    """Vectors of twelve sentences, the last without a photo, and of nine entities; rows are not in id order."""
    rng = np.random.default_rng(0)
    unit = [v / np.linalg.norm(v, axis=1, keepdims=True) for v in rng.normal(size=(2, N, D))]
    unit[1][-1] = 0
    columns = rng.integers(0, 3, (4, M)).astype(np.int32)
    return {
        "sentence_id": np.arange(N, dtype=np.int32)[::-1].copy(),
        "text": unit[0].astype(np.float16),
        "image_cnn": unit[1].astype(np.float16),
        "has_image": (np.arange(N) < N - 1).astype(np.uint8),
        "entity": rng.normal(size=(M, D)).astype(np.float16),
        "entity_sentence_id": np.sort(rng.integers(0, N, M)).astype(np.int32),
        **dict(zip(("entity_start", "entity_end", "entity_gold", "entity_predicted"), columns, strict=True)),
    }


@pytest.fixture(scope="module")
def run(arrays: dict[str, np.ndarray], tmp_path_factory: pytest.TempPathFactory) -> EvaluationRun:
    """Write a run with these vectors and their maps."""
    table = small_table([("Ada", "B-PER", "B-PER")] * N)
    coordinates = pa.Table.from_pandas(build_maps(arrays, SETTINGS))
    folder: Path = tmp_path_factory.mktemp("run") / "mapped"
    return EvaluationRun.open(
        write_run(folder, table, metrics={}, provenance={}, embeddings=arrays, coordinates=coordinates)
    )


def test_every_vector_is_a_point(arrays: dict[str, np.ndarray], run: EvaluationRun) -> None:
    """Texts, photos where there is one, and entities, each on its map with its sentence."""
    points = run.coordinates()
    sizes = points.groupby(["map", "modality"]).size().to_dict()
    assert sizes == {(PAIRS, "text"): N, (PAIRS, "image"): N - 1, (ENTITIES, "entity"): M}
    assert np.isfinite(points[["umap_x", "umap_y", "pca_x", "pca_y"]].to_numpy()).all()
    of_text = points[points["modality"] == "text"]["sentence_id"].tolist()
    assert of_text == arrays["sentence_id"].tolist()
    assert points[points["map"] == ENTITIES]["entity"].tolist() == list(range(M))


def test_a_stored_vector_is_placed_where_it_is(arrays: dict[str, np.ndarray], run: EvaluationRun) -> None:
    """The vectors of a map go with its points row by row: each one is placed on its own point."""
    for name, row, vector in ((PAIRS, 2, "text"), (PAIRS, N + 3, "image_cnn"), (ENTITIES, 5, "entity")):
        vectors, points = map_vectors(run, name)
        expected = arrays[vector][row - N if vector == "image_cnn" else row]
        placed = place_points(expected[None].astype(np.float32), vectors, points, SETTINGS)
        np.testing.assert_allclose(placed.to_numpy()[0], points.loc[row, list(placed.columns)].astype(float), atol=1e-3)


def test_too_few_vectors_make_no_map(arrays: dict[str, np.ndarray]) -> None:
    """One sentence and its photo are no map; a checkpoint without a contrastive space still has its entities."""
    few = {name: array[:1] for name, array in arrays.items()}
    assert build_maps(few, SETTINGS).empty
    unaligned = {name: array for name, array in arrays.items() if name.startswith(("entity", "sentence"))}
    assert set(build_maps(unaligned, SETTINGS)["map"]) == {ENTITIES}


def test_a_run_without_a_map_says_so(tmp_path: Path) -> None:
    """One sentence that says how to get one."""
    table = small_table([("Ada", "B-PER", "B-PER")])
    coordinates = pa.Table.from_pandas(pd.DataFrame({"map": [PAIRS]}))
    run = EvaluationRun.open(write_run(tmp_path / "run", table, metrics={}, provenance={}, coordinates=coordinates))
    with pytest.raises(InputError, match="holds no map 'entities'"):
        map_vectors(run, ENTITIES)


def test_many_entities_are_sampled_in_order(arrays: dict[str, np.ndarray]) -> None:
    """The same draw every time, rows of all entity arrays together, other arrays untouched."""
    kept, again = (sample_entities(arrays, limit=4, seed=1) for _ in range(2))
    assert len(kept["entity"]) == len(kept["entity_gold"]) == 4 and len(kept["text"]) == N
    np.testing.assert_array_equal(kept["entity"], again["entity"])
    rows = [np.flatnonzero((arrays["entity"] == vector).all(1))[0] for vector in kept["entity"]]
    assert rows == sorted(rows) and kept["entity_start"].tolist() == arrays["entity_start"][rows].tolist()
    assert len(sample_entities(arrays, limit=M)["entity"]) == M

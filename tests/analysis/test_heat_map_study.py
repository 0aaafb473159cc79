"""The heat map studies draw a seeded sample, spread over languages, and state what they rest on."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from analysis.evaluation_set import read_evaluation_set
from analysis.heat_map_study import RANDOM_MODEL, RANDOM_ORDER, HeatMapper, heat_map_honesty, pointing_game
from analysis.probe import Probe
from mmner_core.data import Example
from mmner_core.encoding import SubwordEncoder
from mmner_core.labels import Entity
from tests.analysis.tiny_model import drawn_photo, tiny_probe

DATA = Path(__file__).parents[1] / "data" / "tiny"


@pytest.fixture(scope="module")
def probe(subwords: SubwordEncoder) -> Probe:
    """Both streams look at the cells of one small CNN."""
    return tiny_probe(subwords)


@pytest.fixture(scope="module")
def examples() -> tuple[Example, ...]:
    """Twelve sentences, four of them without a photo."""
    return read_evaluation_set(DATA, split="valid").examples


def test_the_maps_are_those_of_the_probe(probe: Probe) -> None:
    """Attention and gradient per stream that has cells, and occlusion; all of one shape."""
    mapper, words, entity = HeatMapper(probe), ("Jordan", "runs"), Entity(0, 1, "PER")
    scene = mapper.scene(words, drawn_photo())
    maps = mapper.maps(scene, entity)
    assert list(maps) == ["attention/vit", "attention/cnn", "gradient/vit", "gradient/cnn", "occlusion"]
    assert {heat.shape for heat in maps.values()} == {probe.grids["vit"]}
    np.testing.assert_allclose(maps["attention/cnn"], probe.attention(scene, entity)["cnn"])


def test_honesty_covers_methods_and_the_random_model(probe: Probe, examples: tuple[Example, ...]) -> None:
    """Tables name each method, its twin and the random orders; four entities are one of each language."""
    seen = []
    study = heat_map_honesty(probe, examples, 4, seed=1, progress=lambda: seen.append(1))
    assert len(seen) == 4
    methods = {row["method"] for row in study["maps"]}
    assert "occlusion" in methods and "occlusion" + RANDOM_MODEL in methods
    assert {row["n"] for row in study["maps"]} == {4}
    verdicts = study["map_verdicts"]
    assert {examples[v["sentence_id"]].language for v in verdicts} == {"en", "fr", "de", "es"}
    assert {v["method"] for v in verdicts} == {m for m in methods if not m.endswith(RANDOM_MODEL)}
    curves = [row for row in study["map_curves"] if row["method"] == RANDOM_ORDER and row["kind"] == "deletion"]
    shares = [row["share"] for row in curves]
    assert (shares[0], shares[-1]) == (0.0, 1.0) and shares == sorted(shares)
    assert all(row["low"] - 1e-6 <= row["value"] <= row["high"] + 1e-6 for row in curves)
    assert heat_map_honesty(probe, examples, 4, seed=1)["maps"] == study["maps"]


def test_pointing_counts_showings(probe: Probe, examples: tuple[Example, ...]) -> None:
    """Each of two sentences is shown both ways round."""
    rows = pointing_game(probe, examples, 2, seed=1)["pointing"]
    overall = [row for row in rows if row["language"] == "all" and row["quantity"] == "hit"]
    assert {row["n"] for row in overall} == {4} and {row["chance"] for row in overall} == {0.5}
    assert {row["method"] for row in overall} >= {"attention/cnn", "gradient/vit", "occlusion"}


def test_without_photos_there_is_nothing_to_study(probe: Probe, examples: tuple[Example, ...], tmp_path: Path) -> None:
    """Sentences without a photo, or with one that cannot be decoded, are passed over."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff garbage")
    bad = [replace(e, image=broken if i % 2 else None) for i, e in enumerate(examples)]
    assert heat_map_honesty(probe, bad, 3) == {}
    assert pointing_game(probe, bad, 3) == {}

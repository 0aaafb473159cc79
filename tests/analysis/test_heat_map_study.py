"""The heat map studies draw a seeded sample, spread over languages, and state what they rest on."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.heat_maps.explainer import ModelExplainer
from analysis.heat_maps.sample import LOOKED_AT
from analysis.heat_maps.study import RANDOM_MODEL, RANDOM_ORDER, heat_map_faithfulness
from analysis.run.evaluation_set import read_evaluation_set
from mmner_core.data import Example
from mmner_core.labels import Entity
from mmner_core.text.encoding import SubwordEncoder
from tests.analysis.tiny_model import tiny_explainer

pytestmark = pytest.mark.slow  # seconds each

DATA = Path(__file__).parents[1] / "data" / "tiny"


@pytest.fixture(scope="module")
def explainer(subwords: SubwordEncoder) -> ModelExplainer:
    """Both streams look at the cells of one small CNN."""
    return tiny_explainer(subwords)


@pytest.fixture(scope="module")
def examples() -> tuple[Example, ...]:
    """Twelve sentences, four of them without a photo."""
    return read_evaluation_set(DATA, split="valid").examples


def test_faithfulness_covers_methods_and_the_random_model(
    explainer: ModelExplainer, examples: tuple[Example, ...]
) -> None:
    """Tables name each method, its twin and the random orders; four entities are one of each language."""
    seen = []
    study = heat_map_faithfulness(explainer, examples, 4, seed=1, matters=-1.0, progress=lambda: seen.append(1))
    assert len(seen) == 4 and study["map_sample"] == [{"looked_at": 4, "tested": 4, "matters": -1.0}]
    methods = {row["method"] for row in study["maps"]}
    assert "occlusion" in methods and "occlusion" + RANDOM_MODEL in methods
    assert {row["n"] for row in study["maps"]} == {4}
    verdicts = study["map_verdicts"]
    assert len({examples[v["sentence_id"]].language for v in verdicts}) == 4
    assert {v["method"] for v in verdicts} == {m for m in methods if not m.endswith(RANDOM_MODEL)}
    curves = [row for row in study["map_curves"] if row["method"] == RANDOM_ORDER and row["kind"] == "deletion"]
    shares = [row["share"] for row in curves]
    assert (shares[0], shares[-1]) == (0.0, 1.0) and shares == sorted(shares)
    assert all(row["low"] - 1e-6 <= row["value"] <= row["high"] + 1e-6 for row in curves)
    assert heat_map_faithfulness(explainer, examples, 4, seed=1, matters=-1.0)["maps"] == study["maps"]


def test_only_names_that_the_photo_decides_about_are_tested(
    explainer: ModelExplainer, examples: tuple[Example, ...]
) -> None:
    """What is tested rises with its photo by as much as is asked for; where nothing does, the sample says so."""
    with_photo = sum(example.image is not None for example in examples)
    study = heat_map_faithfulness(explainer, examples, 3, matters=1.0)
    assert study == {"map_sample": [{"looked_at": with_photo, "tested": 0, "matters": 1.0}]}
    assert (
        heat_map_faithfulness(explainer, examples * LOOKED_AT, 1, matters=1.0)["map_sample"][0]["looked_at"]
        == LOOKED_AT
    )
    some = heat_map_faithfulness(explainer, examples, with_photo, matters=1e-3)
    for verdict in some.get("map_verdicts", []):
        example = examples[verdict["sentence_id"]]
        entity = Entity(verdict["start"], verdict["end"], verdict["type"])
        scene = explainer.scene(example.words, explainer.open(example.image))
        seen, unseen = (explainer.probability(scene, [entity], streams=streams)[0] for streams in (None, ()))
        assert seen - unseen >= 1e-3


def test_without_photos_there_is_nothing_to_study(
    explainer: ModelExplainer, examples: tuple[Example, ...], tmp_path: Path
) -> None:
    """Sentences without a photo, or with one that cannot be decoded, are passed over."""
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"\xff\xd8\xff garbage")
    bad = [replace(e, image=broken if i % 2 else None) for i, e in enumerate(examples)]
    assert heat_map_faithfulness(explainer, bad, 3) == {}

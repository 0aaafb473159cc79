"""Whether attention tells the right photo from others: the measure on models whose answer is known."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch

from analysis.heat_maps.explainer import ModelExplainer
from analysis.heat_maps.relevance import auc, measure_relevance
from mmner_core.data import read_examples
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from mmner_core.photos.images_of_nothing import KINDS
from mmner_core.presets import tiny, tiny_grounded
from mmner_core.text.encoding import SubwordEncoder

DATA = Path(__file__).parents[1] / "data" / "tiny"


def explainer_of(model: MMNER, subwords: SubwordEncoder) -> ModelExplainer:
    """Return an explainer of a model that takes every word for a name."""
    with torch.no_grad():
        model.classifier.bias[0] -= 20
    return ModelExplainer(model, subwords)


@pytest.mark.slow
def test_a_model_that_ignores_photos_is_at_chance(subwords: SubwordEncoder) -> None:
    """Its shares are the same beside every image, and none changes a tag."""
    torch.manual_seed(0)
    model = MMNER.build(tiny_grounded())
    assert model.grounding is not None
    with torch.no_grad():
        model.grounding.look.weight.zero_()
        model.grounding.look.bias.fill_(-300.0)
    examples, _ = read_examples(DATA, images=DATA / "images", split="test")
    found = measure_relevance(explainer_of(model, subwords), examples)
    assert {row["beside"]: row["auc"] for row in found["relevance"]} == {"nothing": 0.5, "another type": 0.5}
    assert found["nothing"][0]["kind"] == "all" and found["nothing"][0]["changed"] == 0
    assert {row["kind"] for row in found["nothing"]} <= {"all", *KINDS}


def test_auc_is_how_often_the_right_one_is_above() -> None:
    """By enumeration, ties counting half."""
    rng = np.random.default_rng(0)
    right, wrong = rng.integers(0, 5, 20) / 4, rng.integers(0, 4, 30) / 4
    expected = np.mean([(a > b) + 0.5 * (a == b) for a, b in product(right, wrong)])
    assert auc(right, wrong) == pytest.approx(expected)


def test_a_model_that_cannot_look_away_has_no_share(subwords: SubwordEncoder) -> None:
    """It is told so in one sentence."""
    config = tiny()
    model = MMNER.build(replace(config, fusion=replace(config.fusion, null_sink=False)))
    with pytest.raises(InputError, match="cannot look away"):
        measure_relevance(explainer_of(model, subwords), [])

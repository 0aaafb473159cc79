"""Optimiser groups, the schedule, and dropout from a pool."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from mmner_core.network.model import MMNER
from mmner_core.presets import tiny, tiny_grounded
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.dropout import MaskPool, PooledDropout, pool_dropout
from mmner_core.training.optim import build_optimizer, build_schedule, parameter_groups

SOURCE = (DataSource(path="data"),)


def config(**fields: Any) -> TrainConfig:
    """Return hyper-parameters with distinct rates."""
    options: dict[str, Any] = {"encoder_lr": 1e-4, "head_lr": 1e-2, "layer_decay": 0.5, "weight_decay": 0.1}
    return TrainConfig(train=SOURCE, valid=SOURCE, **(options | fields))


@pytest.fixture(scope="module")
def model() -> MMNER:
    """Build preset tiny with frozen word embeddings and CNN."""
    preset = tiny()
    assert preset.cnn is not None
    text = replace(preset.text, freeze_embeddings=True)
    return MMNER.build(replace(preset, text=text, cnn=replace(preset.cnn, frozen=True)))


def rates(model: MMNER, **fields: Any) -> dict[str, tuple[float, float]]:
    """Return each parameter's learning rate and weight decay by its name."""
    found = {
        id(p): (group["lr"], group["weight_decay"])
        for group in parameter_groups(model, config(**fields))
        for p in group["params"]
    }
    return {name: found[id(p)] for name, p in model.named_parameters() if id(p) in found}


def test_each_trainable_parameter_is_in_one_group(model: MMNER) -> None:
    """None is lost, none is there twice, and frozen ones are left out."""
    grouped = [id(p) for group in parameter_groups(model, config()) for p in group["params"]]
    assert sorted(grouped) == sorted(id(p) for p in model.parameters() if p.requires_grad)
    assert len(set(grouped)) == len(grouped) < len(list(model.parameters()))


def test_what_decides_how_far_photos_speak_may_learn_at_its_own_rate() -> None:
    """The gate and the share of attention; what says where to look learns at the head's rate, as all do by default."""
    model = MMNER.build(tiny_grounded())
    own = {name for name, (rate, _) in rates(model, gate_lr=0.03).items() if rate == 0.03}
    assert {name.rsplit(".", 1)[0] for name in own} == {
        "gate.norm",
        "gate.context",
        "gate.hidden",
        "gate.open",
        "grounding.hidden",
        "grounding.look",
    }
    assert all(rates(model)[name][0] == 1e-2 for name in own)


def test_rates_fall_layer_by_layer(model: MMNER) -> None:
    """The encoder's last layer learns at its rate, each one below at half of that, the rest at the head's rate."""
    rate = {name: lr for name, (lr, _) in rates(model).items()}
    layer = "text_encoder.model.encoder.layer.{}.output.dense.weight"
    assert rate[layer.format(1)] == pytest.approx(1e-4)
    assert rate[layer.format(0)] == pytest.approx(5e-5)
    assert rate["text_encoder.model.embeddings.position_embeddings.weight"] == pytest.approx(2.5e-5)
    for name in ("classifier.weight", "fusion.dense.weight", "crf.transitions", "text_encoder.convention.weight"):
        assert rate[name] == pytest.approx(1e-2)


def test_vectors_are_not_decayed(model: MMNER) -> None:
    """Weight decay is for matrices: biases, norms and the learnt "no image" keys are spared."""
    decay = {name: value for name, (_, value) in rates(model).items()}
    assert decay["classifier.weight"] == 0.1
    for name in ("classifier.bias", "fusion.blocks.vit.norm.weight", "fusion.null_keys.cnn", "crf.end_transitions"):
        assert decay[name] == 0


def test_an_image_encoders_layers_do_not_count_as_the_texts(model: MMNER) -> None:
    """Adding a deep image encoder with numbered layers leaves the text encoder's rates as they are."""
    before = rates(model)
    model.vit_encoder = nn.ModuleDict({"layers": nn.ModuleList(nn.Linear(2, 2) for _ in range(9))})
    try:
        after = rates(model)
    finally:
        model.vit_encoder = None
    assert {name: after[name] for name in before} == before
    assert after["vit_encoder.layers.0.weight"] == (1e-4, 0.1)


def test_the_rate_rises_then_falls_to_zero(model: MMNER) -> None:
    """A linear warm-up over its share of the steps, then a straight line to zero."""
    settings = config(warmup=0.2)
    optimizer = build_optimizer(model, settings)
    schedule = build_schedule(optimizer, 10, settings)
    seen = []
    for _ in range(10):
        seen.append(schedule.get_last_lr()[-1] / 1e-2)
        optimizer.step()
        schedule.step()
    assert seen == pytest.approx([0, 0.5, *(i / 8 for i in range(8, 0, -1))])
    assert schedule.get_last_lr()[-1] == 0


def test_pooled_dropout_drops_its_share_and_keeps_the_mean() -> None:
    """A quarter of the entries become zero in training, the others grow by as much; evaluation changes nothing."""
    torch.manual_seed(0)
    layer = PooledDropout(MaskPool(0.25))
    ones = torch.ones(200, 500)
    dropped = layer(ones)
    assert (dropped == 0).float().mean().item() == pytest.approx(0.25, abs=0.01)
    assert dropped.mean().item() == pytest.approx(1, abs=0.02)
    assert torch.equal(layer.eval()(ones), ones)


def test_pools_replace_dropout_everywhere_once_per_probability() -> None:
    """Layers of one probability share a pool; a probability of zero needs none."""
    network = nn.Sequential(nn.Dropout(0.1), nn.Sequential(nn.Dropout(0.1), nn.Dropout(0.3)), nn.Dropout(0.0))
    pools = pool_dropout(network)
    assert sorted(pool.p for pool in pools) == [0.1, 0.3]
    assert isinstance(network[0], PooledDropout) and network[0].pool is network[1][0].pool
    assert isinstance(network[2], nn.Dropout)

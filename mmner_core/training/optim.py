"""Optimiser and schedule: layer-wise learning rates in the text encoder, one rate behind it."""

from __future__ import annotations

import re
from typing import Any

import torch
from torch import nn

from mmner_core.training.config import TrainConfig

_GATES = ("gate.", "grounding.hidden.", "grounding.look.")
_LAYER = re.compile(r"\.layers?\.(\d+)\.")


def parameter_groups(model: nn.Module, config: TrainConfig) -> list[dict[str, Any]]:
    """Put each trainable parameter into exactly one group.

    Encoder layer k of n gets ``encoder_lr * layer_decay ** (n - 1 - k)``, its embeddings one step less than layer 0;
    everything behind the encoders gets ``head_lr``. Vectors (biases, norms) are not decayed.
    """
    trainable = {name: p for name, p in model.named_parameters() if p.requires_grad}
    text = [name for name in trainable if name.startswith("text_encoder.")]
    n_layers = 1 + max((int(m[1]) for name in text if (m := _LAYER.search(name))), default=-1)
    groups: dict[tuple[float, bool], list[nn.Parameter]] = {}
    for name, parameter in trainable.items():
        rate = _learning_rate(name, n_layers, config)
        groups.setdefault((rate, parameter.ndim > 1), []).append(parameter)
    assert sum(map(len, groups.values())) == len(trainable)  # noqa: S101 (no parameter is lost or doubled)
    return [
        {"params": parameters, "lr": rate, "weight_decay": config.weight_decay if decays else 0.0}
        for (rate, decays), parameters in groups.items()
    ]


def _learning_rate(name: str, n_layers: int, config: TrainConfig) -> float:
    pretrained = name.startswith(("text_encoder.model.", "vit_encoder.", "cnn_encoder."))
    if not pretrained:
        gates = name.startswith(_GATES) and config.gate_lr is not None
        return config.gate_lr if gates else config.head_lr
    layer = _LAYER.search(name)
    if name.startswith("text_encoder.") and n_layers:
        depth = int(layer[1]) if layer else -1
        return config.encoder_lr * config.layer_decay ** (n_layers - 1 - depth)
    return config.encoder_lr


def build_optimizer(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW over :func:`parameter_groups`."""
    return torch.optim.AdamW(parameter_groups(model, config), betas=config.betas, fused=True)


def build_schedule(optimizer: torch.optim.Optimizer, total_steps: int, config: TrainConfig) -> Any:
    """Return a linear warm-up over the first share of the steps, then a linear decay to zero."""
    from transformers import get_linear_schedule_with_warmup

    return get_linear_schedule_with_warmup(optimizer, round(config.warmup * total_steps), total_steps)

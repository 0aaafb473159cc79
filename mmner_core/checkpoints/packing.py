"""Weights on the disk: word embeddings as int8 rows with a scale each, other large tensors as float16."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

EMBEDDINGS = "word_embeddings.weight"
SMALL = 100_000
"""Tensors with fewer entries stay float32: they cost nothing and the CRF's sums deserve it."""


def quantise_rows(table: Tensor) -> tuple[Tensor, Tensor]:
    """Round a [N, D] table to int8 with one scale per row, [N, 1]; the error is at most half a scale."""
    scale = (table.float().abs().amax(dim=1, keepdim=True) / 127).clamp(min=torch.finfo(torch.float32).tiny)
    return (table.float() / scale).round().clamp(-127, 127).to(torch.int8), scale


def pack_weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Shrink weights for the disk."""
    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if name.endswith(EMBEDDINGS) and tensor.ndim == 2 and tensor.numel() >= SMALL:
            packed[name], packed[f"{name}.scale"] = quantise_rows(tensor)
        elif tensor.is_floating_point():
            packed[name] = tensor.half() if tensor.numel() >= SMALL else tensor.float()
        else:
            packed[name] = tensor
    return {name: tensor.contiguous() for name, tensor in packed.items()}


def unpack_weights(packed: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undo :func:`pack`, in float32.

    Raises:
        ValueError: if the scales do not fit their table.
    """
    state: dict[str, Tensor] = {}
    for name, tensor in packed.items():
        if name.endswith(".scale") and name.removesuffix(".scale") in packed:
            continue
        scale = packed.get(f"{name}.scale")
        if scale is not None and scale.shape != (len(tensor), 1):
            raise ValueError(f"tensor {name}.scale has shape {list(scale.shape)}, not {[len(tensor), 1]}")
        value = tensor if scale is None else tensor.float().mul_(scale)
        state[name] = value.float() if value.is_floating_point() else value
    return state

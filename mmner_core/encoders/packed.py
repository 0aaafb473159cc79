"""BERT's layers for inference on a CPU: what ``bert`` computes, in fewer and better fed kernels.

A profile of the plain layers showed a third of the time in copying biases and in adding, activating and reordering
between the products. Here the weights lie as oneDNN's kernels read them, query, key and value are one product, and
bias, GELU and residual are added while a product's result is still in the cache.

Shapes: B sentences, S sub-words, T = B * S, H heads, D width.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

if TYPE_CHECKING:
    from mmner_core.encoders.bert import Layer

_TYPICAL_ROWS = 1024  # the blocking that the weights are laid out for; other sizes work as well


def can_pack(weight: Tensor) -> bool:
    """Say whether these weights can be packed: bfloat16, on a CPU, with oneDNN's fused kernels in this torch."""
    return (
        weight.device.type == "cpu"
        and weight.dtype == torch.bfloat16
        and torch.backends.mkldnn.is_available()
        and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    )


class PackedLinear:
    """A linear layer with packed weights; its results carry no gradient.

    Args:
        layers: linear layers of one input, computed as one with their outputs side by side.
    """

    def __init__(self, *layers: nn.Linear) -> None:
        weight = torch.cat([layer.weight.detach() for layer in layers])
        self._weight = torch.ops.mkldnn._reorder_linear_weight(weight, _TYPICAL_ROWS)
        self._bias = torch.cat([layer.bias.detach() for layer in layers])

    def __call__(self, states: Tensor) -> Tensor:
        """[T, in] -> [T, out]."""
        return torch.ops.mkldnn._linear_pointwise(states, self._weight, self._bias, "none", [], "")

    def gelu(self, states: Tensor) -> Tensor:
        """[T, in] -> [T, out], through the exact GELU."""
        return torch.ops.mkldnn._linear_pointwise(states, self._weight, self._bias, "gelu", [], "none")

    def plus(self, states: Tensor, residual: Tensor) -> Tensor:
        """[T, in] and [T, out] -> [T, out], their sum."""
        return torch.ops.mkldnn._linear_pointwise.binary(states, residual, self._weight, self._bias, "add")


class PackedLayer:
    """One encoder layer."""

    def __init__(self, layer: Layer) -> None:
        attention: Any = layer.attention["self"]
        attended: Any = layer.attention["output"]
        up: Any = layer.intermediate["dense"]
        self._heads: int = attention.heads
        self._qkv = PackedLinear(attention.query, attention.key, attention.value)
        self._attended = PackedLinear(attended.dense)
        self._norm: nn.LayerNorm = attended.LayerNorm
        self._up = PackedLinear(up)
        self._down = PackedLinear(layer.output.dense)
        self._last_norm = layer.output.LayerNorm

    def __call__(self, states: Tensor, mask: Tensor | None, sentences: int) -> Tensor:
        """[T, D] -> [T, D], T being ``sentences`` times as many sub-words."""
        qkv = self._qkv(states).view(sentences, len(states) // sentences, 3, self._heads, -1)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # [B, H, S, D/H] each
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=mask)
        states = self._norm(self._attended.plus(context.transpose(1, 2).reshape(states.shape), states))
        return self._last_norm(self._down.plus(self._up.gelu(states), states))


class PackedLayers:
    """All layers of an encoder."""

    def __init__(self, layers: Iterable[Any]) -> None:
        self._layers = [PackedLayer(layer) for layer in layers]

    def __call__(self, states: Tensor, allowed: Tensor | None) -> Tensor:
        """Encode embedded sub-words, [B, S, D].

        Args:
            states: what the embeddings gave.
            allowed: [B, 1, 1, S] bool, which sub-words may be looked at; None: all.
        """
        mask = None
        if allowed is not None:  # added to the scores; made once, not in every layer
            mask = torch.zeros_like(allowed, dtype=states.dtype).masked_fill_(~allowed, float("-inf"))
        flat = states.reshape(-1, states.shape[-1])
        for layer in self._layers:
            flat = layer(flat, mask, len(states))
        return flat.view(states.shape)

"""BERT's layers for inference on a CPU: what ``bert`` computes, in fewer and better fed kernels.

A profile of the plain layers showed a third of the time in copying biases and in adding, activating and reordering
between the products. Here the weights lie as oneDNN's kernels read them, query, key and value are one product, and
bias, GELU and residual are added while a product's result is still in the cache.

A sentence comes out the same to the last bit whatever stands beside it. The products take the sub-words of all
sentences without padding: in bfloat16 a row of them does not depend on how many rows there are, from two on. Attention
does depend on how many keys there are, padding included, for the softmax sums them sixteen at a time and the rest one
by one; so each sentence attends over its own length, rounded up to sixteen, among those of the same rounded length.

Shapes: B sentences, S sub-words, T sub-words of all sentences without padding, G sentences of P places that attend
together, N <= G * P of these filled, H heads, D width.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

if TYPE_CHECKING:
    from mmner_core.encoders.bert import Layer

_TYPICAL_ROWS = 1024  # the blocking that the weights are laid out for; other sizes work as well
_LANES = 16  # float32 numbers in a register of AVX-512


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


class AttentionGroup(NamedTuple):
    """Sentences that attend in one call, side by side in [T, ...].

    Attributes:
        rows: where their sub-words lie.
        size: G.
        places: [G * P] which of these rows stands in each place, any in an empty one; None if all are filled.
        filled: [N] the places that are filled; None if all are.
        mask: [G, 1, 1, P], added to the scores: minus infinity on empty places; None if all are filled.
    """

    rows: slice
    size: int
    places: Tensor | None = None
    filled: Tensor | None = None
    mask: Tensor | None = None

    @classmethod
    def of(cls, lengths: Sequence[int], start: int, dtype: torch.dtype) -> AttentionGroup:
        """Group sentences of these lengths, whose sub-words begin at row ``start``."""
        rows = slice(start, start + sum(lengths))
        width = _round_up(max(lengths))
        if min(lengths) == width:
            return cls(rows, len(lengths))
        is_filled = torch.arange(width) < torch.tensor(lengths)[:, None]  # [G, P]
        filled = is_filled.flatten().nonzero()[:, 0]
        places = torch.zeros(is_filled.numel(), dtype=torch.long)
        places[filled] = torch.arange(len(filled))
        mask = torch.zeros(is_filled.shape, dtype=dtype).masked_fill_(~is_filled, float("-inf"))
        return cls(rows, len(lengths), places, filled, mask[:, None, None])


def _round_up(length: int) -> int:
    return -(-length // _LANES) * _LANES


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

    def __call__(self, states: Tensor, groups: Sequence[AttentionGroup]) -> Tensor:
        """[T, D] -> [T, D]; the groups follow one another."""
        qkv = self._qkv(states)
        contexts = [self._attend(qkv[group.rows], group) for group in groups]
        context = contexts[0] if len(contexts) == 1 else torch.cat(contexts)
        states = self._norm(self._attended.plus(context, states))
        return self._last_norm(self._down.plus(self._up.gelu(states), states))

    def _attend(self, qkv: Tensor, group: AttentionGroup) -> Tensor:
        """[N, 3 * D] -> [N, D]."""
        padded = qkv if group.places is None else qkv.index_select(0, group.places)  # [G * P, 3 * D]
        q, k, v = padded.view(group.size, -1, 3, self._heads, qkv.shape[1] // 3 // self._heads).permute(2, 0, 3, 1, 4)
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=group.mask)  # [G, H, P, D/H]
        context = context.transpose(1, 2).reshape(len(padded), -1)
        return context if group.filled is None else context.index_select(0, group.filled)


class PackedLayers:
    """All layers of an encoder."""

    def __init__(self, layers: Iterable[Any]) -> None:
        self._layers = [PackedLayer(layer) for layer in layers]

    def __call__(self, states: Tensor, allowed: Tensor) -> Tensor:
        """Encode embedded sub-words, [B, S, D]; padding comes out as zeros.

        Args:
            states: what the embeddings gave.
            allowed: [B, S] bool, true on sub-words.
        """
        lengths = allowed.sum(1).tolist()
        order = sorted(range(len(lengths)), key=lambda b: _round_up(lengths[b]))
        groups: list[AttentionGroup] = []
        for _, sentences in groupby(order, key=lambda b: _round_up(lengths[b])):
            start = groups[-1].rows.stop if groups else 0
            groups.append(AttentionGroup.of([lengths[b] for b in sentences], start, states.dtype))
        index = torch.arange(allowed.numel()).view(allowed.shape)[order][allowed[order]]  # [T] of [B * S]
        padded = states.reshape(-1, states.shape[-1])
        flat = padded.index_select(0, index)
        for layer in self._layers:
            flat = layer(flat, groups)
        return torch.zeros_like(padded).index_copy_(0, index, flat).view(states.shape)

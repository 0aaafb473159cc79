"""BERT's layers for inference on a CPU: what ``bert`` computes, in fewer and larger kernels.

A profile of the plain layers showed a third of the time in copying biases and in adding, activating and reordering
between the products. Here the weights lie as oneDNN's kernels read them, query, key and value are one product, and
bias, GELU and residual are added while a product's result is still in the cache. Attention over sentences is two
batches of products and a softmax: torch's fused attention calls oneDNN for every sentence, head and block, which takes
longer than these small products themselves. It rounds the scores to bfloat16, as it does the weights.

A sentence comes out the same to the last bit whatever stands beside it. The products take the sub-words of all
sentences without padding: in bfloat16 a row of them does not depend on how many rows there are, from two on. Attention
does depend on how many keys there are, padding included, for the softmax sums them sixteen at a time and the rest one
by one; so each sentence attends over its own length, rounded up to sixteen, among those of the same rounded length.

Shapes: B sentences, S sub-words, T sub-words of all sentences without padding, G sentences of P places that attend
together, N <= G * P of these filled, H heads, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmner_core.encoders.fast.onednn import FusedLinear, can_fuse
from mmner_core.runtime.fast import is_fast

_LANES = 16  # float32 numbers in a register of AVX-512
_GROUP_SCORES = 1 << 19  # more of them no longer stay in the caches from the product through the softmax


def can_pack(weight: Tensor) -> bool:
    """Return whether to pack these weights: only bfloat16, and only where there are kernels for it."""
    return weight.dtype == torch.bfloat16 and can_fuse(weight) and is_fast("packed")


def pack_linear(*layers: nn.Linear) -> FusedLinear:
    """Pack linear layers of one input, computed as one with their outputs side by side."""
    weight = torch.cat([layer.weight.detach() for layer in layers])
    return FusedLinear(weight, torch.cat([layer.bias.detach() for layer in layers]))


class AttentionGroup(NamedTuple):
    """Sentences that attend in one call, side by side in [T, ...]; a row of queries, keys or values is of one head.

    Attributes:
        rows: where their sub-words lie.
        places: [3 * G * H * P] which row of [N, 3, H, D/H] stands in each place, any in an empty one.
        filled: [N * H] which place of [G, H, P] holds the head of each sub-word.
        mask: [G * H, P, P], added to the scores: minus infinity on empty keys.
    """

    rows: slice
    places: Tensor
    filled: Tensor
    mask: Tensor

    @classmethod
    def of(cls, lengths: Sequence[int], start: int, heads: int, dtype: torch.dtype) -> AttentionGroup:
        """Group sentences of these lengths, whose sub-words begin at row ``start``."""
        width = _round_up(max(lengths))
        is_filled = torch.arange(width) < torch.tensor(lengths)[:, None]  # [G, P]
        sentence, place = is_filled.nonzero(as_tuple=True)  # [N] each
        head = torch.arange(heads)
        subword = torch.zeros(is_filled.shape, dtype=torch.long)
        subword[is_filled] = torch.arange(len(place))
        part = torch.arange(3)[:, None, None, None]
        places = (subword[:, None] * 3 + part) * heads + head[:, None]  # [3, G, H, P]
        filled = (sentence[:, None] * heads + head) * width + place[:, None]  # [N, H]
        mask = torch.zeros(is_filled.shape, dtype=dtype).masked_fill_(~is_filled, float("-inf"))
        mask = mask[:, None, None].expand(-1, heads, width, -1).reshape(-1, width, width)
        return cls(slice(start, start + len(place)), places.flatten(), filled.flatten(), mask)


def _round_up(length: int) -> int:
    return -(-length // _LANES) * _LANES


class PackedLayer:
    """One encoder layer.

    Args:
        heads: attention heads.
        qkv: query, key and value as one product.
        attended: from the heads' contexts back to the layer's width.
        norm: of the first residual.
        up, down: the feed-forward half.
        last_norm: of the second residual.
    """

    def __init__(
        self,
        *,
        heads: int,
        qkv: FusedLinear,
        attended: FusedLinear,
        norm: nn.LayerNorm,
        up: FusedLinear,
        down: FusedLinear,
        last_norm: nn.LayerNorm,
    ) -> None:
        self.heads = heads
        self._qkv = qkv
        self._attended = attended
        self._norm = norm
        self._up = up
        self._down = down
        self._last_norm = last_norm

    def __call__(self, states: Tensor, groups: Sequence[AttentionGroup]) -> Tensor:
        """[T, D] -> [T, D]; the groups follow one another."""
        qkv = self._qkv(states)
        contexts = [self._attend(qkv[group.rows], group) for group in groups]
        context = contexts[0] if len(contexts) == 1 else torch.cat(contexts)
        states = self._norm(self._attended.plus(context, states))
        return self._last_norm(self._down.plus(self._up.gelu(states), states))

    def _attend(self, qkv: Tensor, group: AttentionGroup) -> Tensor:
        """[N, 3 * D] -> [N, D]."""
        width, depth = group.mask.shape[-1], qkv.shape[1] // 3 // self.heads  # P, D/H
        q, k, v = qkv.view(-1, depth).index_select(0, group.places).view(3, -1, width, depth)  # [G * H, P, D/H]
        scores = torch.baddbmm(group.mask, q, k.transpose(1, 2), alpha=depth**-0.5)  # [G * H, P, P]
        context = scores.softmax(-1, dtype=torch.float32).to(v.dtype) @ v  # [G * H, P, D/H]
        return context.view(-1, depth).index_select(0, group.filled).view(len(qkv), -1)


class PackedLayers:
    """All layers of an encoder."""

    def __init__(self, layers: Sequence[PackedLayer]) -> None:
        self._layers = layers
        self._heads = layers[0].heads

    def __call__(self, states: Tensor, allowed: Tensor, *, every_layer: bool = False) -> list[Tensor]:
        """Encode embedded sub-words, [B, S, D]; padding comes out as zeros.

        Args:
            states: what the embeddings gave.
            allowed: [B, S] bool, true on sub-words.
            every_layer: return the states after each layer; else only after the last.
        """
        lengths = allowed.sum(1).tolist()
        order: list[int] = []
        groups: list[AttentionGroup] = []
        for sentences in _attend_together(lengths, self._heads):
            start = groups[-1].rows.stop if groups else 0
            groups.append(AttentionGroup.of([lengths[b] for b in sentences], start, self._heads, states.dtype))
            order += sentences
        index = torch.arange(allowed.numel()).view(allowed.shape)[order][allowed[order]]  # [T] of [B * S]
        padded = states.reshape(-1, states.shape[-1])
        flat = padded.index_select(0, index)
        kept = []
        for number, layer in enumerate(self._layers, start=1):
            flat = layer(flat, groups)
            if every_layer or number == len(self._layers):
                kept.append(torch.zeros_like(padded).index_copy_(0, index, flat).view(states.shape))
        return kept


def _attend_together(lengths: Sequence[int], heads: int) -> Iterator[list[int]]:
    """Yield the sentences of each group: of one rounded length, and few enough for the caches."""
    order = sorted(range(len(lengths)), key=lambda b: _round_up(lengths[b]))
    for width, run in groupby(order, key=lambda b: _round_up(lengths[b])):
        sentences = list(run)
        most = max(1, _GROUP_SCORES // (heads * width**2))
        yield from (sentences[i : i + most] for i in range(0, len(sentences), most))

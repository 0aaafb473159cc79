"""The multimodal collaboration module: words look at the image through one cross-attention block per stream.

Shapes: B sentences, W words, K keys, H heads, D width.
"""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import FusionConfig
from mmner_core.linear import SteadyLinear


class Keys(NamedTuple):
    """What words may look at in one stream: the "no image" key first, then the image's tokens.

    Attributes:
        states: [B, K, D].
        allowed: [B, K] bool: without an image only key 0; with one, key 0 only if it is offered as a sink.
    """

    states: Tensor
    allowed: Tensor


class CrossAttention(nn.Module):
    """A cross-attention block of BERT's form: attention, output dense, dropout, residual, LayerNorm."""

    def __init__(self, width: int, config: FusionConfig) -> None:
        super().__init__()
        if width % config.heads:
            raise ValueError(f"{config.heads} heads do not divide width {width}; choose a divisor.")
        self.heads = config.heads
        self.tied = config.query == "tied_to_key"
        self.query = SteadyLinear(width, width)  # kept when tied: the authors' checkpoints carry it, unused
        self.key = SteadyLinear(width, width)
        self.value = SteadyLinear(width, width)
        self.dense = SteadyLinear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, words: Tensor, keys: Keys, *, need_weights: bool) -> tuple[Tensor, Tensor | None]:
        """Return the words having looked, [B, W, D], and each head's weights [B, H, W, K] if asked for."""
        q = self._split(self.key(words) if self.tied else self.query(words))  # [B, H, W, D/H]
        k = self._split(self.key(keys.states))  # [B, H, K, D/H]
        v = self._split(self.value(keys.states))  # [B, H, K, D/H]
        allowed = keys.allowed[:, None, None, :]  # [B, 1, 1, K]
        weights = None
        if need_weights:
            scores = q @ k.transpose(-1, -2) / q.shape[-1] ** 0.5  # [B, H, W, K]
            weights = scores.float().masked_fill(~allowed, float("-inf")).softmax(-1)
            context = weights.to(v.dtype) @ v  # [B, H, W, D/H]
        else:
            context = F.scaled_dot_product_attention(q, k, v, attn_mask=allowed)
        looked = self.dense(context.transpose(1, 2).flatten(2))  # [B, W, D]
        return self.norm(words + self.dropout(looked)), weights

    def _split(self, states: Tensor) -> Tensor:
        """[B, N, D] -> [B, H, N, D/H]."""
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Fusion(nn.Module):
    """One block per stream, outputs concatenated, projected back to D (paper: multimodal collaboration module)."""

    def __init__(self, width: int, config: FusionConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleDict({stream: CrossAttention(width, config) for stream in config.streams})
        self.null_keys = nn.ParameterDict(
            {stream: nn.Parameter(torch.randn(width) * 0.02) for stream in config.streams}
        )
        self.dense = SteadyLinear(width * len(config.streams), width) if config.streams else None
        self.dropout = nn.Dropout(config.dropout)

    def keys(self, stream: str, tokens: Tensor | None, present: Tensor) -> Keys:
        """Put the "no image" key before the tokens and say which may be looked at.

        Args:
            stream: "vit" or "cnn".
            tokens: [B, P, D] image tokens (anything where no image is present), or None if the batch has no image.
            present: [B] bool, whether the sentence has an image.
        """
        null = self.null_keys[stream].expand(len(present), 1, -1)  # [B, 1, D]
        if tokens is None:
            return Keys(null, torch.ones_like(present)[:, None])
        offered = torch.ones_like(present) if self.config.null_sink else ~present
        allowed = torch.cat([offered[:, None], present[:, None].expand(-1, tokens.shape[1])], dim=1)
        return Keys(torch.cat([null.to(tokens.dtype), tokens], dim=1), allowed)

    def forward(
        self, words: Tensor, keys: dict[str, Keys], *, need_weights: bool = False
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Return fused word vectors [B, W, D] and, if asked for, each stream's attention [B, H, W, K]."""
        if self.dense is None:
            return words, {}
        looked, attention = [], {}
        for stream, block in self.blocks.items():
            states, weights = block(words, keys[stream], need_weights=need_weights)
            looked.append(states)
            if weights is not None:
                attention[stream] = weights
        fused = self.dropout(self.dense(torch.cat(looked, dim=-1)))  # [B, W, D]
        return (words + fused if self.config.word_residual else fused), attention

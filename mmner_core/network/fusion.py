"""The multimodal collaboration module: words attend to the image through one cross-attention block per stream.

Shapes: B sentences, W words, U images, K keys, H heads, D width.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import FusionConfig
from mmner_core.network.linear import BatchInvariantLinear

_TINY = 1e-12


@dataclass(frozen=True, slots=True)
class KeyLayout:
    """The order of the keys that words attend to in one stream.

    "No image" comes first, then the whole image where the stream has a token of it, then the image's cells row by row.
    Keys of no image are "no image" alone.

    Attributes:
        has_whole: whether the whole image has a token: a ViT's class token, or the pooled image.
        grid: rows and columns of the cells; (0, 0) where there are none.
    """

    has_whole: bool
    grid: tuple[int, int]

    def cells(self, weights: Tensor) -> Tensor:
        """Pick the weights of the cells, [..., K] -> [..., rows * columns]; none of keys of no image."""
        return weights[..., 1 + self.has_whole :]


def on_image(weights: Tensor) -> Tensor:
    """Drop the weight of "no image", [..., 1 + P] -> [..., P]."""
    return weights[..., 1:]


def image_share(weights: Tensor) -> Tensor:
    """Return how much of the attention is on the image, [..., 1 + P] -> [...]."""
    return 1 - weights[..., 0]


class Guide(NamedTuple):
    """What steers grounded attention in one stream.

    Attributes:
        evidence: [B, W, K] added to every head's logits.
        share: [B, W] how much of a word's attention goes to the photo.
    """

    evidence: Tensor
    share: Tensor


class Keys(NamedTuple):
    """Attention keys and values of one stream: "no image" first, then the tokens of each of U images.

    Attributes:
        key: [U, H, K, D/H]; without any image U is 1 and so is K. Grounded attention has no "no image" key among them
            (:mod:`mmner_core.network.grounding` says what it gets), so that K is the number of tokens, 0 without any
            image.
        value: the same.
        types: [U, K, T] what each token shows, as log-probabilities; None where attention is not grounded.
    """

    key: Tensor
    value: Tensor
    types: Tensor | None = None


class CrossAttention(nn.Module):
    """A cross-attention block of BERT's form: attention, output dense, dropout, residual, LayerNorm."""

    def __init__(self, width: int, config: FusionConfig) -> None:
        super().__init__()
        if width % config.heads:
            raise ValueError(f"{config.heads} heads do not divide width {width}; choose a divisor.")
        self.heads = config.heads
        self.tied = config.query == "tied_to_key"
        self.null_sink = config.null_sink
        self.query = BatchInvariantLinear(width, width)  # kept when tied: the authors' checkpoints carry it, unused
        self.key = BatchInvariantLinear(width, width)
        self.value = BatchInvariantLinear(width, width)
        self.dense = BatchInvariantLinear(width, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.dropout = nn.Dropout(config.dropout)

    def keys(self, states: Tensor) -> Keys:
        """Project tokens, [U, K, D], to keys and values."""
        return Keys(self._split(self.key(states)), self._split(self.value(states)))

    def forward(
        self, words: Tensor, keys: Keys, image_index: Tensor, *, n_attention_rows: int, guide: Guide | None = None
    ) -> tuple[Tensor, Tensor | None]:
        """Return the words after attention, [B, W, D], and each head's weights in the first ``n_attention_rows`` rows.

        Grounded attention, which a guide belongs to, returns those of all sentences.
        """
        if guide is None:
            context, weights = self._attend(words, keys, image_index, n_attention_rows=n_attention_rows)
        else:
            context, weights = self._attend_by(guide, words, keys, image_index)
        looked = self.dense(context.transpose(1, 2).flatten(2))  # [B, W, D], or [1, 1, D] where all see the same
        return self.norm(words + self.dropout(looked)), weights

    def _attend(
        self, words: Tensor, keys: Keys, image_index: Tensor, *, n_attention_rows: int
    ) -> tuple[Tensor, Tensor | None]:
        """Return each word's context, [B, H, W, D/H], and the weights [n_attention_rows, H, W, K] if there are any."""
        if keys.key.shape[2] == 1 and not (self.training or torch.is_grad_enabled()):
            # A single key has all the attention, whatever the query, so its value is what every word sees.
            undivided = torch.ones(n_attention_rows, self.heads, words.shape[1], 1, device=words.device)
            return keys.value, undivided if n_attention_rows else None
        q = self._split(self.key(words) if self.tied else self.query(words))  # [B, H, W, D/H]
        image = image_index.clamp(min=0, max=len(keys.key) - 1)
        k, v = keys.key[image], keys.value[image]  # [B, H, K, D/H]
        allowed = self._allowed(image_index, k.shape[2])[:, None, None]  # [B, 1, 1, K]
        weights, contexts = None, []
        if n_attention_rows:
            first = slice(n_attention_rows)
            scores = q[first] @ k[first].transpose(-1, -2) / q.shape[-1] ** 0.5  # [n_attention_rows, H, W, K]
            weights = scores.float().masked_fill(~allowed[first], float("-inf")).softmax(-1)
            contexts.append(weights.to(v.dtype) @ v[first])
        if n_attention_rows < len(words):
            rest = slice(n_attention_rows, None)
            contexts.append(F.scaled_dot_product_attention(q[rest], k[rest], v[rest], attn_mask=allowed[rest]))
        return torch.cat(contexts), weights

    def _attend_by(self, guide: Guide, words: Tensor, keys: Keys, image_index: Tensor) -> tuple[Tensor, Tensor]:
        """Return each word's context from its image alone, and the weights [B, H, W, 1 + K].

        The rest of the image's share is the weight of "no image", which has no value and adds nothing.
        """
        q = self._split(self.key(words) if self.tied else self.query(words))  # [B, H, W, D/H]
        image = image_index.clamp(min=0)
        k, v = keys.key[image], keys.value[image]  # [B, H, K, D/H]
        scores = (q @ k.transpose(-1, -2)).float() / q.shape[-1] ** 0.5 + guide.evidence[:, None]  # [B, H, W, K]
        share = guide.share[:, None, :, None].expand(-1, self.heads, -1, 1)
        weights = torch.cat([1 - share, share * scores.softmax(-1)], dim=-1)
        seen = on_image(weights) / share.clamp(min=_TINY)
        return seen.to(v.dtype) @ v, weights

    def _allowed(self, image_index: Tensor, n_keys: int) -> Tensor:
        """Return [B, K] bool: without an image only key 0; with one, key 0 only if it is offered as a sink."""
        present = (image_index >= 0)[:, None].expand(-1, n_keys)
        allowed = present.clone()
        allowed[:, 0] = True if self.null_sink or n_keys == 1 else ~present[:, 0]
        return allowed

    def _split(self, states: Tensor) -> Tensor:
        """[B, N, D] -> [B, H, N, D/H]."""
        return states.unflatten(-1, (self.heads, -1)).transpose(1, 2)


class Fusion(nn.Module):
    """One block per stream, outputs concatenated, projected back to D (paper: multimodal collaboration module)."""

    def __init__(self, width: int, config: FusionConfig) -> None:
        super().__init__()
        self.config = config
        self.blocks = nn.ModuleDict({stream: CrossAttention(width, config) for stream in config.streams})
        unseen = () if config.grounded else config.streams
        self.null_keys = nn.ParameterDict({stream: nn.Parameter(torch.randn(width) * 0.02) for stream in unseen})
        self.dense = BatchInvariantLinear(width * len(config.streams), width) if config.streams else None
        self.dropout = nn.Dropout(config.dropout)

    def keys(self, stream: str, tokens: Tensor | None) -> Keys:
        """Put the "no image" key before the tokens, unless attention is grounded, and project both.

        Args:
            stream: "vit" or "cnn".
            tokens: [U, P, D] tokens of the images, or None if there is none.
        """
        block: Any = self.blocks[stream]
        if self.config.grounded:
            return block.keys(block.norm.weight.new_zeros(1, 0, len(block.norm.weight)) if tokens is None else tokens)
        null = self.null_keys[stream][None, None]  # [1, 1, D]
        if tokens is not None:
            null = torch.cat([null.to(tokens.dtype).expand(len(tokens), -1, -1), tokens], dim=1)  # [U, 1 + P, D]
        return block.keys(null)

    def forward(
        self,
        words: Tensor,
        keys: dict[str, Keys],
        image_index: Tensor,
        *,
        n_attention_rows: int = 0,
        guides: Mapping[str, Guide] | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Let words attend to images, and join the streams.

        Args:
            words: [B, W, D].
            keys: per stream, of the U images; a stream without tokens shows no sentence anything.
            image_index: [B] which of the images each sentence has, -1 where it has none.
            n_attention_rows: of how many sentences, from the first on, to say where the words looked.
            guides: per stream, what grounded attention goes by; it tells its weights in all sentences.

        Returns:
            fused word vectors [B, W, D] and, if asked for, each stream's attention [n_attention_rows, H, W, K].
        """
        if self.dense is None:
            return words, {}
        looked, attention = [], {}
        for stream, block in self.blocks.items():
            guide = None if guides is None else guides[stream]
            states, weights = block(words, keys[stream], image_index, n_attention_rows=n_attention_rows, guide=guide)
            looked.append(states)
            if weights is not None:
                attention[stream] = weights
        fused = self.dropout(self.dense(torch.cat(looked, dim=-1)))  # [B, W, D]
        return (words + fused if self.config.word_residual else fused), attention

"""Contrastive alignment of sentence and image: the projections and the NT-Xent loss.

Shapes: B pairs, D width.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.config import AlignmentConfig
from mmner_core.network.linear import BatchInvariantLinear
from mmner_core.runtime.distributed import gather_pairs

MIN_TEMPERATURE = 0.01  # as in CLIP: the learnt inverse temperature is kept at or below 100


class Projection(nn.Sequential):
    """Linear-ReLU-Linear into the contrastive space (paper: language-image alignment)."""

    def __init__(self, width_in: int, width: int) -> None:
        super().__init__(BatchInvariantLinear(width_in, width), nn.ReLU(), BatchInvariantLinear(width, width))


class NTXent(nn.Module):
    """Normalised-temperature cross entropy over the 2B vectors of a batch (paper, contrastive loss).

    Each vector's positive is the other modality of its own pair; its negatives are all other 2B - 2 vectors of
    both modalities. In training by several processes B counts the pairs of all of them.
    """

    def __init__(self, config: AlignmentConfig) -> None:
        super().__init__()
        log_inverse = torch.tensor(-math.log(config.temperature))
        if config.learn_temperature:
            self.log_inverse_temperature = nn.Parameter(log_inverse)
        else:
            self.register_buffer("log_inverse_temperature", log_inverse)

    @property
    def inverse_temperature(self) -> Tensor:
        """1 / temperature, a scalar."""
        return self.log_inverse_temperature.exp().clamp(max=1 / MIN_TEMPERATURE)

    def forward(self, text: Tensor, image: Tensor, image_key: Tensor | None = None) -> Tensor:
        """Return the loss, a scalar; 0 for fewer than two pairs, which have nothing to contrast.

        In training every process of a run must call it, with as many pairs as it has: B may be 0.

        Args:
            text: [B, D] text projections, of any length (they are normalised here).
            image: [B, D] image projections of the same pairs.
            image_key: [B] integers naming the image of each pair; pairs of one image are not pushed apart. None:
                all images count as different.
        """
        if self.training:
            text, image, image_key = gather_pairs(text, image, image_key)
        n = len(text)
        if n < 2:
            return (text.sum() + image.sum()) * 0.0  # of both: a distributed run waits for the gradients of either
        vectors = F.normalize(torch.cat([text, image]).float(), dim=-1)  # [2B, D]
        logits = vectors @ vectors.T * self.inverse_temperature  # [2B, 2B]
        pair = torch.arange(n, device=text.device) if image_key is None else image_key
        same = pair.repeat(2)[:, None] == pair.repeat(2)[None, :]
        positive = torch.arange(2 * n, device=text.device).roll(n)
        same[torch.arange(2 * n), positive] = False  # one's own partner stays in the sum
        return F.cross_entropy(logits.masked_fill(same, float("-inf")), positive)

"""The photo's gate: each word's text says how far the photo may change its tag.

A photo tells nothing of a name that the sentence settles, and a wrong photo can only do harm there. The gate opens by
what the text leaves open. It sees the text alone, so that it cannot be talked open by a photo.

Shapes: B sentences, W words, D width, L tags, T types.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from mmner_core.linear import SteadyLinear

NEARLY_OPEN = 1.0
"""First bias of the gate: an untrained one lets 73 % of the photo's evidence through."""
FLOOR = 1e-4
"""Smaller probabilities all count as this one."""
LOG_FLOOR = math.log(FLOOR)
SHORT, LONG = 8, 16
"""Texts of up to so many words are short, and from so many on long: in a sentence a doubt weighs otherwise than in a
caption of three words."""


class PhotoGate(nn.Module):
    """A linear layer over a word's vector, its text's mean vector, and what the text makes of the word.

    Linear on purpose: which names a text leaves open is told from few examples, and a layer between gave names that
    it had not seen any order.

    Args:
        width: D.
        n_types: T.
        dropout: on the vectors.
        margin: added to the logit in use, not in training.
    """

    def __init__(self, width: int, n_types: int, dropout: float, margin: float = 0.0) -> None:
        super().__init__()
        self.margin = margin
        self.n_types = n_types
        self.ranked = min(2, n_types)
        self.dropout = nn.Dropout(dropout)
        said = 1 + n_types + self.ranked
        self.open = SteadyLinear(width + said, 1)
        self.text = SteadyLinear(width, 1, bias=False)
        self.long = SteadyLinear(1 + said, 1, bias=False)
        for layer in (self.open, self.text, self.long):
            nn.init.zeros_(layer.weight)
        nn.init.constant_(self.open.bias, NEARLY_OPEN)

    def forward(self, words: Tensor, word_mask: Tensor, text_emissions: Tensor) -> Tensor:
        """Return how open each word is, [B, W], from 0 to 1.

        It is 0 where the text takes the word for no name: a photo decides what a name is, never that there is one.

        Args:
            words: [B, W, D] word states.
            word_mask: [B, W] bool, true on words.
            text_emissions: [B, W, L] scores of the tags without a photo, ``O`` first, then each type's two.
        """
        # In double precision, and rounded then: torch computes the last elements of a tensor, which do not fill a
        # register, by other code than the rest, and a text would come out otherwise alone than in a group.
        tags = text_emissions.double().softmax(-1)
        outside, types = tags[..., :1], tags[..., 1:].unflatten(-1, (self.n_types, 2)).sum(-1)  # [B, W, 1], [B, W, T]
        evidence = torch.cat([outside, types], dim=-1).clamp(min=FLOOR).log() / -LOG_FLOOR
        said = torch.cat([evidence, types.topk(self.ranked, dim=-1).values], dim=-1).to(words.dtype)
        states = F.layer_norm(words.double(), words.shape[-1:])
        n_words = word_mask.sum(-1, keepdim=True)  # [B, 1]
        text = states.masked_fill(~word_mask[..., None], 0.0).sum(1, keepdim=True) / n_words[..., None]  # [B, 1, D]
        length = ((n_words / SHORT).log2() / math.log2(LONG / SHORT)).clamp(0, 1)  # 0 in a short text, 1 in a long one
        length = length[..., None].to(words.dtype).expand_as(said[..., :1])
        logit = (
            self.open(torch.cat([self.dropout(states.to(words.dtype)), said], dim=-1)).double()
            + self.text(self.dropout(text.to(words.dtype))).double()
            + self.long(torch.cat([length, length * said], dim=-1)).double()
        )[..., 0] + (0.0 if self.training else self.margin)
        return logit.sigmoid().float() * (outside[..., 0] < 0.5)


def looking_loss(openness: Tensor, cost: Tensor) -> Tensor:
    """Return what each word's gate pays, [B, W]: the cross entropy with a gate that is shut, or open, times a weight.

    Words that are no names pay nothing.

    Args:
        openness: [B, W] of :class:`PhotoGate`.
        cost: [B] the weight of each sentence; above 0 its gate is to be shut, below 0 open.
    """
    share = openness.clamp(FLOOR, 1 - FLOOR)
    wrong = torch.where(cost[:, None] > 0, -torch.log1p(-share), -share.log())
    return cost.abs()[:, None] * wrong * (openness > 0)

"""The photo's gate: each word's text says how far the photo may change its tag.

A photo tells nothing of a name that the sentence settles, and a wrong photo can only do harm there. The gate opens by
what the text leaves open. It sees the text alone, so that it cannot be talked open by a photo.

Shapes: B sentences, W words, D width, L tags, T types.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812 (the field's name for it)

from mmner_core.linear import SteadyLinear

HIDDEN = 16
NEARLY_OPEN = 1.0
"""First bias of the gate: an untrained one lets 73 % of the photo's evidence through."""
FLOOR = 1e-4
"""Smaller probabilities all count as this one."""
LOG_FLOOR = math.log(FLOOR)
SHORT, LONG = 8, 16
"""Texts of up to so many words are short, and from so many on long: in a sentence a doubt weighs otherwise than in a
caption of three words."""


class PhotoGate(nn.Module):
    """A small layer over a word's vector and what the text makes of it; in long texts a second one joins in.

    There are few names to learn doubt from, and to which others a gate opens is half chance: two trained alike differ
    there. So it has several members, each taught by its own share of the sentences, and their mean decides.

    Args:
        width: D.
        n_types: T.
        dropout: on the word's vector.
        margin: added to the logit in use, not in training.
        members: how many gates of 16 units there are.
    """

    def __init__(self, width: int, n_types: int, dropout: float, margin: float = 0.0, members: int = 1) -> None:
        super().__init__()
        self.margin = margin
        self.members = members
        self.n_types = n_types
        self.ranked = min(2, n_types)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        said = 1 + n_types + self.ranked
        self.hidden = SteadyLinear(width + said, members * HIDDEN)
        self.open = SteadyLinear(members * HIDDEN, 1)
        nn.init.constant_(self.open.bias, NEARLY_OPEN)
        self.long = SteadyLinear(said, 1)
        nn.init.zeros_(self.long.weight)
        nn.init.zeros_(self.long.bias)

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
        states = self.hidden(torch.cat([self.dropout(self.norm(words)), said], dim=-1)).double().tanh().to(words.dtype)
        states = states * self._one_each(len(words)).to(states) if self.training else states / self.members
        length = (word_mask.sum(-1, keepdim=True) / SHORT).log2() / math.log2(LONG / SHORT)  # [B, 1]
        in_long = length.clamp(0, 1).double() * self.long(said).double()[..., 0]
        logit = self.open(states).double()[..., 0] + in_long + (0.0 if self.training else self.margin)
        return logit.sigmoid().float() * (outside[..., 0] < 0.5)

    def _one_each(self, sentences: int) -> Tensor:
        """Draw the member that each sentence teaches, [B, 1, members * HIDDEN]: 1 on its states, 0 on the others'."""
        drawn = torch.randint(self.members, (sentences,))
        return F.one_hot(drawn, self.members).repeat_interleave(HIDDEN, dim=1)[:, None]

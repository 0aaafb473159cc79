"""The photo's gate: each word's text says how far the photo may change its tag.

A photo tells nothing of a name that the sentence settles, and a wrong photo can only do harm there. The gate opens by
what the text leaves open. It sees the text alone, so that it cannot be talked open by a photo.

Where it is open, the text's own preference among the types may give way. Fusion learns from sentences that mostly know
better than their photos, and lets a photo outvote only a text in doubt: beside a portrait, "London" stays a place even
in words that would suit a person as well. Not so in whole sentences, where a photo shows one of several names and may
only add to what the text says of each; so how far the text gives way is learnt apart.

Shapes: B sentences, W words, D width, L tags, T types.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

from mmner_core.linear import SteadyLinear

HIDDEN = 16
NEARLY_OPEN = 1.0
"""First bias of the gate: an untrained one lets 73 % of the photo's evidence through."""
FLOOR = 1e-4
"""Smaller probabilities all count as this one."""
LOG_FLOOR = math.log(FLOOR)


class PhotoGate(nn.Module):
    """A small layer over a word's vector and what the text makes of it.

    Args:
        width: D.
        n_types: T.
        dropout: on the word's vector.
        margin: added to the logit in use, not in training.
        yields: let the text's preference among the types give way.
    """

    def __init__(self, width: int, n_types: int, dropout: float, *, margin: float = 0.0, yields: bool = False) -> None:
        super().__init__()
        self.margin = margin
        self.n_types = n_types
        self.ranked = min(2, n_types)
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(dropout)
        self.hidden = SteadyLinear(width + 1 + n_types + self.ranked, HIDDEN)
        self.open = SteadyLinear(HIDDEN, 1 + yields)
        nn.init.constant_(self.open.bias, NEARLY_OPEN)

    def forward(self, words: Tensor, text_emissions: Tensor) -> Tensor:
        """Return per word how far the photo has a say and how far the text gives way, [B, W, 2], from 0 to 1.

        Both are 0 where the text takes the word for no name: a photo decides what a name is, never that there is one.
        The text never gives way further than the photo has a say.

        Args:
            words: [B, W, D] word states.
            text_emissions: [B, W, L] scores of the tags without a photo, ``O`` first, then each type's two.
        """
        # In double precision, and rounded then: torch computes the last elements of a tensor, which do not fill a
        # register, by other code than the rest, and a text would come out otherwise alone than in a group.
        tags = text_emissions.double().softmax(-1)
        outside, types = tags[..., :1], tags[..., 1:].unflatten(-1, (self.n_types, 2)).sum(-1)  # [B, W, 1], [B, W, T]
        evidence = torch.cat([outside, types], dim=-1).clamp(min=FLOOR).log() / -LOG_FLOOR
        said = torch.cat([evidence, types.topk(self.ranked, dim=-1).values], dim=-1).to(words.dtype)
        states = self.hidden(torch.cat([self.dropout(self.norm(words)), said], dim=-1)).double().tanh().to(words.dtype)
        logits = self.open(states).double() + (0.0 if self.training else self.margin)
        say = logits.sigmoid().float() * (outside < 0.5)  # [B, W, 1 or 2]
        if say.shape[-1] == 1:
            return torch.cat([say, torch.zeros_like(say)], dim=-1)
        return say.cumprod(-1)

    def mix(self, openness: Tensor, text_emissions: Tensor, emissions: Tensor) -> Tensor:
        """Return the scores of the tags as far as each word lets its photo have a say, [B, W, L].

        Args:
            openness: [B, W, 2] what :meth:`forward` returned.
            text_emissions: [B, W, L] without a photo.
            emissions: [B, W, L] with it.
        """
        say, way = openness.to(emissions.dtype).split(1, dim=-1)  # [B, W, 1] each
        return text_emissions + say * (emissions - text_emissions) - way * self._preference(text_emissions)

    def _preference(self, text_emissions: Tensor) -> Tensor:
        """Return by how much the text prefers each type to the mean of all, [B, W, L]; ``O`` has no part in it."""
        types = text_emissions[..., 1:].double().unflatten(-1, (self.n_types, 2))  # in double: see forward
        preference = (types - types.mean(-2, keepdim=True)).flatten(-2).to(text_emissions.dtype)
        return torch.cat([torch.zeros_like(text_emissions[..., :1]), preference], dim=-1)

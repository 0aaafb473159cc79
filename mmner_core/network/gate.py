"""The text gate: the image decides more where the words leave an entity's type open, less where they state it.

Attention says whether the photo shows what a name may be. That alone harms: beside "Paris, capital of France" a photo
of a person shows what "Paris" may be, and is beside the point. (Ours; the paper has no gate.)

Shapes: B sentences, W words, D width.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mmner_core.network.grounding import Belief
from mmner_core.network.linear import BatchInvariantLinear

HIDDEN = 16
DROPOUT = 0.2


class TextGate(nn.Module):
    """Estimates how open a word's type is, from its vector and from the probabilities that the text gives its types.

    Args:
        width: D.
        n_types: types of names.
    """

    def __init__(self, width: int, n_types: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(width)
        self.dropout = nn.Dropout(DROPOUT)
        self.context = BatchInvariantLinear(width, HIDDEN)
        self.hidden = BatchInvariantLinear(HIDDEN + Belief.width(n_types), HIDDEN)
        self.open = BatchInvariantLinear(HIDDEN, 1)
        nn.init.zeros_(self.open.bias)

    def forward(self, words: Tensor, belief: Belief) -> Tensor:
        """Return how far each word's tag may follow the photo, [B, W], from 0 to 1.

        Args:
            words: [B, W, D].
            belief: what the text makes of them.
        """
        # Rounded from double precision, so that a text is read alike alone and in a group, see ``believe``.
        context = self.context(self.dropout(self.norm(words))).double().tanh()
        seen = torch.cat([context, belief.said.double()], dim=-1).to(words.dtype)
        states = self.hidden(seen).double().tanh().to(words.dtype)
        return self.open(states).double()[..., 0].sigmoid().float()

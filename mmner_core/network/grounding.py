"""Grounded attention: words attend to the cells that show a type which the text leaves open.

A classifier gives every cell a probability of each entity type. A word attends to the cells that show a type which its
own text leaves possible, and both together decide how much of its attention goes to the photo at all. The rest, which
is all of it where the text leaves no doubt or the photo shows nothing relevant, goes to the "no image" key: to that
extent the word keeps the tag of the text alone. (Ours; the paper's attention knows nothing of types.)

Shapes: B sentences, W words, U images, P cells, C width of a cell, L tags, T types and one for what has no name.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from torch import Tensor, nn

from mmner_core.network.linear import BatchInvariantLinear

HIDDEN = 32
FLOOR = 1e-4
"""Smaller probabilities all count as this one."""
TEMPERATURE = 2.0
"""By which the text's belief in types is flattened: a tagger is surer than it is right, and the photo may know."""
HARDLY, WHOLLY = 0.3, 0.6
"""In use, what is learnt as a share of the photo up to the first is none, and from the second on all: chosen on valid,
where images of nothing then change 1 % of the answers."""
SOME_NAME = 0.5
"""A photo decides what a name is, never that there is one: words that the text takes for a name by less do not look."""


class Belief(NamedTuple):
    """The text's own probabilities of each word's type.

    Attributes:
        types: [B, W, T - 1] how likely it holds each type, flattened, of sum 1.
        said: [B, W, T + 2] the logs of its probabilities, from 0 (certain) to 1 (below ``FLOOR``): of no name and of
            each type; and the two likeliest types' probabilities.
        named: [B, W] bool, whether it takes the word for part of a name.
    """

    types: Tensor
    said: Tensor
    named: Tensor

    @staticmethod
    def width(n_types: int) -> int:
        """Return how many numbers ``said`` holds of each word."""
        return 1 + n_types + min(2, n_types)


def believe(emissions: Tensor, n_types: int) -> Belief:
    """Read off the text's own emissions, [B, W, L], ``O`` first and then each type's two.

    In double precision, and rounded then: torch computes the last elements of a tensor, which do not fill a register,
    by other code than the rest, so the results of a text would differ between alone and in a group.
    """
    tags = emissions.double().softmax(-1)
    outside, types = tags[..., :1], tags[..., 1:].unflatten(-1, (n_types, 2)).sum(-1)
    logs = torch.cat([outside, types], dim=-1).clamp(min=FLOOR).log()
    likeliest = types.topk(min(2, n_types), dim=-1).values
    said = torch.cat([logs / math.log(FLOOR), likeliest], dim=-1)
    flat = (logs[..., 1:] / TEMPERATURE).softmax(-1)
    return Belief(flat.float(), said.float(), outside[..., 0] < SOME_NAME)


class Grounding(nn.Module):
    """Classifies the cells, weighs the classes in each stream's attention, and decides how far words look.

    Args:
        widths: C of each image encoder.
        streams: image streams, each with the encoder that feeds it.
        n_types: T - 1.
    """

    def __init__(self, widths: Mapping[str, int], streams: Mapping[str, str], n_types: int) -> None:
        super().__init__()
        self.n_types = n_types
        self.encoder_of = dict(streams)
        self.readers = nn.ModuleDict({name: BatchInvariantLinear(width, n_types + 1) for name, width in widths.items()})
        self.strength = nn.ParameterDict({stream: nn.Parameter(torch.ones(())) for stream in streams})
        said, seen = Belief.width(n_types), 2 * (n_types + 1) + 2
        self.hidden = BatchInvariantLinear(said + seen, HIDDEN)
        self.look = BatchInvariantLinear(HIDDEN, 1)
        nn.init.zeros_(self.look.bias)

    def read(self, stream: str, tokens: Tensor) -> Tensor:
        """Return the log-probability of each type in each cell, the last of "nothing that has a name".

        Args:
            stream: whose cells.
            tokens: [U, P, C] as the encoder gives them.

        Returns:
            [U, P, T] in float32.
        """
        reader = self.readers[self.encoder_of[stream]]
        return reader(tokens).double().log_softmax(-1).float()

    def evidence(self, belief: Belief, cells: Tensor) -> Tensor:
        """Return the log-probability that each cell shows the type that the text gives the word, [B, W, P].

        Args:
            belief: of the words.
            cells: [B, P, T] what :meth:`read` returned of each sentence's image.
        """
        shown = cells[..., : self.n_types].double().exp()  # [B, P, T - 1]
        return (belief.types.double() @ shown.transpose(1, 2)).clamp(min=FLOOR).log().float()

    def share(self, belief: Belief, cells: Sequence[Tensor], evidence: Sequence[Tensor]) -> Tensor:
        """Return the share of each word's attention on the photo, [B, W], 0 to 1; 0 for words outside entities.

        Args:
            belief: of the words.
            cells: per stream [B, P, T].
            evidence: per stream [B, W, P].
        """
        seen = torch.stack([_summary(*stream) for stream in zip(cells, evidence, strict=True)]).mean(0)  # [B, W, S]
        weights = self.hidden.weight
        states = self.hidden(torch.cat([belief.said, seen], dim=-1).to(weights.dtype)).double().tanh()
        share = self.look(states.to(weights.dtype)).double()[..., 0].sigmoid()
        if not self.training:
            # In use it can be none at all: a name that is nearly in balance tips by very little. Where it is learnt it
            # cannot, for what is none has no gradient to become some.
            share = ((share - HARDLY) / (WHOLLY - HARDLY)).clamp(0, 1)
        return share.float() * belief.named


def _summary(cells: Tensor, evidence: Tensor) -> Tensor:
    """Summarise the cells of each image for each word: [B, P, T] and [B, W, P] -> [B, W, 2T + 2]."""
    shown, fitting = cells.double().exp(), evidence.double().exp()
    photo = torch.cat([shown.amax(1), shown.mean(1)], dim=-1)  # [B, 2T]
    word = torch.stack([fitting.amax(-1), fitting.mean(-1)], dim=-1)  # [B, W, 2]
    return torch.cat([photo[:, None].expand(-1, word.shape[1], -1), word], dim=-1).float()

"""The outputs of the model.

Shapes: B sentences, W words, U distinct images, K keys, H heads, D width, L tags.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from torch import Tensor


class TaggedWords(NamedTuple):
    """Emissions of words that attended to their images, and where they attended.

    Attributes:
        emissions: [B, W, L] score of each tag for each word.
        attention: per stream [B, H, W, K] weights over its keys, of as many sentences as asked for.
        photo_share: [B, W] how much of each word's attention its photo gets, from 0 to 1, and with it a say in the
            word's tag; None without photos, or where attention is not grounded.
    """

    emissions: Tensor
    attention: dict[str, Tensor]
    photo_share: Tensor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelOutput:
    """The outputs of one forward pass.

    Attributes:
        emissions: [B, W, L] score of each tag for each word.
        word_states: [B, W, D] text encoder's word vectors.
        attention: per stream [B, H, W, K] weights over its keys; empty unless asked for.
        text_projection: [B, D] sentences in the contrastive space, unit length; None without alignment.
        image_projection: per stream [U, D] images in the contrastive space, unit length.
        photo_share: [B, W] how much of each word's attention its photo gets; None as in :class:`TaggedWords`.
        losses: "crf" (mean NLL over the batch), "contrastive_vit", "contrastive_cnn", "pointing" and "looking" (of
            grounded attention), "total"; empty without tags.
    """

    emissions: Tensor
    word_states: Tensor
    attention: dict[str, Tensor] = field(default_factory=dict)
    text_projection: Tensor | None = None
    image_projection: dict[str, Tensor] = field(default_factory=dict)
    photo_share: Tensor | None = None
    losses: dict[str, Tensor] = field(default_factory=dict)

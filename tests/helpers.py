"""Functions that several tests need and the workbench does not."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import torch

from mmner_core.labels import OUTSIDE, Entity

if TYPE_CHECKING:
    from torch import Tensor

    from mmner_core.network.crf import CRF
    from mmner_core.text.encoding import Batch


def entities_to_tags(entities: Iterable[Entity], n_words: int) -> list[str]:
    """Write entities that do not overlap as ``n_words`` IOB2 tags."""
    tags = [OUTSIDE] * n_words
    for entity in entities:
        inside = [f"I-{entity.type}"] * (entity.end - entity.start - 1)
        tags[entity.start : entity.end] = [f"B-{entity.type}", *inside]
    return tags


def span_probabilities(crf: CRF, emissions: Tensor, spans: Sequence[tuple[int, int]]) -> Tensor:
    """Return the probability of each span of one sentence, [W, L] emissions, as an entity of each type."""
    mask = emissions.new_ones(1, len(emissions)).bool()
    return crf.span_probabilities(emissions[None], mask, [(0, start, stop) for start, stop in spans])


def without_images(batch: Batch) -> Batch:
    """Return the same sentences with no image."""
    return replace(batch, image_index=torch.full_like(batch.image_index, -1), pixels=None, image_states=None)

"""Decodes emissions into everything a run stores of a sentence: tags, entities with exact probabilities, loss.

Shapes: B sentences, W words, L tags, T types.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from mmner_core.labels import OUTSIDE, Entity, tags_to_entities
from mmner_core.network.crf import CRF, mask_words


@dataclass(frozen=True, slots=True, kw_only=True)
class Decoded:
    """The decoded answer for one sentence, of this project's CRF or, as far as it gives one, of another model.

    Attributes:
        tags: the best tag sequence.
        entities: its entities with probability and runner-up, as the column ``entities`` of :mod:`analysis.run.schema`;
            None where the model gives no probabilities.
        gold_confidence: probability of each gold entity, in order.
        loss: negative log-likelihood of the gold tags, nats; None where the model does not say.
    """

    tags: list[str]
    entities: list[dict[str, Any]] | None
    gold_confidence: list[float]
    loss: float | None

    def over(self, n_words: int) -> Decoded:
        """Return it for all words of a sentence of which trailing ones, outside entities, were not read."""
        return replace(self, tags=[*self.tags, *[OUTSIDE] * (n_words - len(self.tags))])


@torch.no_grad()
def decode(crf: CRF, emissions: Tensor, n_words: Sequence[int], gold: Sequence[Sequence[str]]) -> list[Decoded]:
    """Decode sentences of like length, with the exact probabilities of predicted and gold entities.

    Args:
        crf: the model's last layer.
        emissions: [B, W, L], padded.
        n_words: [B].
        gold: [B] tags, all of them in the CRF's label set.
    """
    labels = crf.labels
    mask = mask_words(emissions, n_words)
    targets = torch.zeros(mask.shape, dtype=torch.long)
    for row, tags in enumerate(gold):
        targets[row, : len(tags)] = torch.tensor(labels.encode(tags))
    losses = crf(emissions, targets.to(emissions.device), mask).tolist()
    paths = [labels.decode(path) for path in crf.viterbi(emissions, mask)]
    found, annotated = ([tags_to_entities(tags) for tags in column] for column in (paths, gold))
    spans = {(row, e.start, e.end): 0 for side in (found, annotated) for row, es in enumerate(side) for e in es}
    probabilities = crf.span_probabilities(emissions, mask, list(spans)).tolist()
    by_span = dict(zip(spans, probabilities, strict=True))
    return [
        Decoded(
            tags=paths[row],
            entities=[_entity(e, by_span[row, e.start, e.end], labels.types) for e in found[row]],
            gold_confidence=[by_span[row, e.start, e.end][labels.types.index(e.type)] for e in annotated[row]],
            loss=losses[row],
        )
        for row in range(len(paths))
    ]


def _entity(entity: Entity, probabilities: Sequence[float], types: Sequence[str]) -> dict[str, Any]:
    by_type = dict(zip(types, probabilities, strict=True))
    confidence = by_type.pop(entity.type)
    # A model of one type has no second one; its entities are then their own runner-up, as the tagger has it.
    second = max(by_type, key=by_type.__getitem__, default=entity.type)
    return {
        "start": entity.start,
        "end": entity.end,
        "type": entity.type,
        "confidence": confidence,
        "runner_up_type": second,
        "runner_up_confidence": by_type.get(second, confidence),
    }

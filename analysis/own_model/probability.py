"""Computes the probability of an entity from a model's answer, as far as the answer gives one.

With probabilities by tag, words count as independent, and the probability is exact under that: the entity begins at its
first word (``B-``, or ``I-`` with nothing to continue), goes on over the others, and does not go on after its last.
With a probability of each tag answered, it is their product for an entity that was answered, and 0 for any other.
Without probabilities it is 1 for an entity that was answered, and 0 for any other.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from analysis.own_model.checked import CheckedAnswer
from mmner_core.labels import Entity, split_tag, tags_to_entities

BY_TAG = "probability of the entity from the model's word probabilities, words taken as independent"
BY_WORD = "product of the model's word probabilities for an entity that it answers, 0 for any other"
ANSWERED = "1 for an entity that the model answers, 0 for any other: it gives no probabilities"
_LEAST = 1e-12
"""Stands for a probability of 0 where a logarithm is taken."""


def meaning(parts: Iterable[str]) -> str:
    """Describe what the probabilities of a run mean, from the parts of the model's answers."""
    return BY_TAG if "probabilities by tag" in parts else BY_WORD if "probabilities" in parts else ANSWERED


def entity_probability(answer: CheckedAnswer, entity: Entity) -> float:
    """Return the probability of an entity, this span with this type."""
    if answer.by_tag is not None:
        return _independent(answer.by_tag, entity)
    if entity not in tags_to_entities(answer.tags):
        return 0.0
    return 1.0 if answer.by_word is None else float(np.prod(answer.by_word[entity.start : entity.end]))


def described_entities(answer: CheckedAnswer) -> list[dict[str, Any]] | None:
    """Return the answered entities with probability and runner-up, as the column ``entities`` of a run has them.

    None where the model gives no probabilities. Without probabilities by tag there is no other type to tell, so an
    entity is its own runner-up.
    """
    if answer.by_word is None:
        return None
    known = {} if answer.by_tag is None else {split_tag(tag)[1]: None for word in answer.by_tag for tag in word}
    found = []
    for entity in tags_to_entities(answer.tags):
        confidence = entity_probability(answer, entity)
        others = {
            name: entity_probability(answer, Entity(entity.start, entity.end, name))
            for name in known
            if name not in ("", entity.type)
        }
        second = max(others, key=others.__getitem__, default=entity.type)
        found.append(
            {"start": entity.start, "end": entity.end, "type": entity.type, "confidence": confidence}
            | {"runner_up_type": second, "runner_up_confidence": others.get(second, confidence)}
        )
    return found


def gold_loss(answer: CheckedAnswer, gold: Sequence[str]) -> float | None:
    """Return the negative log-likelihood of the gold tags, nats; None without probabilities by tag."""
    if answer.by_tag is None:
        return None
    of_gold = [word.get(tag, 0.0) for word, tag in zip(answer.by_tag, gold, strict=True)]
    return float(-np.log(np.maximum(of_gold, _LEAST)).sum())


def _independent(by_tag: Sequence[dict[str, float]], entity: Entity) -> float:
    begin, inside = f"B-{entity.type}", f"I-{entity.type}"
    first = by_tag[entity.start]
    continues = 0.0
    if entity.start:
        before = by_tag[entity.start - 1]
        continues = before.get(begin, 0.0) + before.get(inside, 0.0)
    probability = first.get(begin, 0.0) + first.get(inside, 0.0) * (1 - min(continues, 1.0))
    for word in by_tag[entity.start + 1 : entity.end]:
        probability *= word.get(inside, 0.0)
    after = by_tag[entity.end].get(inside, 0.0) if entity.end < len(by_tag) else 0.0
    return float(min(max(probability * (1 - after), 0.0), 1.0))

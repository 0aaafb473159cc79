"""Collects the vectors of a tagged shard, in the form of :mod:`analysis.run.vectors`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from analysis.run.vectors import IMAGE
from mmner_core.labels import Entity, tags_to_entities

if TYPE_CHECKING:
    from analysis.evaluation.tagged_shard import TaggedShard


def shard_vectors(
    tagged: TaggedShard,
    gold: Sequence[Sequence[str]],
    main: str,
    types: Sequence[str],
    first: int,
    aligned: Sequence[str],
) -> dict[str, np.ndarray]:
    """Return the arrays of one shard.

    Args:
        tagged: the shard.
        gold: its gold tags.
        main: the condition whose predicted entities are taken.
        types: the checkpoint's entity types.
        first: number of the shard's first sentence.
        aligned: the image streams of the contrastive space.
    """
    n = len(gold)
    arrays = {"sentence_id": np.arange(first, first + n, dtype=np.int32)}
    if tagged.text.vectors is not None:
        arrays["text"] = _half(tagged.text.vectors)
        arrays["has_image"] = np.isin(np.arange(n), list(tagged.images)).astype(np.uint8)
        for stream in aligned:
            arrays[IMAGE + stream] = np.zeros_like(arrays["text"])
            for place, features in tagged.images.items():
                arrays[IMAGE + stream][place] = _half(features.vectors[stream])
    return arrays | _entity_vectors(tagged, gold, main, types, first)


def _entity_vectors(
    tagged: TaggedShard, gold: Sequence[Sequence[str]], main: str, types: Sequence[str], first: int
) -> dict[str, np.ndarray]:
    vectors, rows = [], []
    for answer in tagged.answers:
        if answer.condition != main:
            continue
        place = answer.sentence
        sides = [_by_span(tags_to_entities(tags)) for tags in (gold[place], answer.decoded.tags)]
        for start, end in dict.fromkeys([*sides[0], *sides[1]]):
            vectors.append(_half(tagged.text.words[place][start:end].float().mean(0)))
            found = [types.index(side[start, end]) if (start, end) in side else -1 for side in sides]
            rows.append((first + place, start, end, *found))
    table = np.array(rows, dtype=np.int32).reshape(-1, 5)
    names = ("entity_sentence_id", "entity_start", "entity_end", "entity_gold", "entity_predicted")
    width = tagged.text.words[0].shape[-1]
    return {
        "entity": np.stack(vectors) if vectors else np.zeros((0, width), dtype=np.float16),
        **{name: table[:, column] for column, name in enumerate(names)},
    }


def _by_span(entities: Sequence[Entity]) -> dict[tuple[int, int], str]:
    return {(entity.start, entity.end): entity.type for entity in entities}


def _half(vector: torch.Tensor) -> np.ndarray:
    return vector.half().cpu().numpy()

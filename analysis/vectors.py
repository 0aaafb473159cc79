"""The vectors of a run: what ``embeddings.safetensors`` holds, and which of them are on the map.

======================== ============= ==================================================================
array                    shape         what it holds
======================== ============= ==================================================================
sentence_id              [S] int32     the sentence of each row of the next three
text                     [S, D] fp16   sentence in the contrastive space, unit length
image_<stream>           [S, D] fp16   its photo under "matched", unit length; zeros where it has none
has_image                [S] uint8     1 where it has one
entity                   [M, D] fp16   mean of the text encoder's word vectors over an entity's words
entity_sentence_id       [M] int32     its sentence
entity_start, entity_end [M] int32     its half-open word span
entity_gold              [M] int32     type of the gold entity with that span, index into the run's types; -1: none
entity_predicted         [M] int32     type of the predicted one, likewise
======================== ============= ==================================================================

``text`` and ``image_...`` are missing for a checkpoint without alignment. Of more than ``MAX_ENTITIES`` entities a
seeded sample is kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from mmner_core.labels import Entity, tags_to_entities

if TYPE_CHECKING:
    from analysis.tagged import Tagged

MAX_ENTITIES = 20_000
IMAGE = "image_"


def shard_vectors(
    tagged: Tagged, gold: Sequence[Sequence[str]], main: str, types: Sequence[str], first: int, aligned: Sequence[str]
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
        arrays["has_image"] = np.isin(np.arange(n), list(tagged.pictures)).astype(np.uint8)
        for stream in aligned:
            arrays[IMAGE + stream] = np.zeros_like(arrays["text"])
            for place, picture in tagged.pictures.items():
                arrays[IMAGE + stream][place] = _half(picture.vectors[stream])
    return arrays | _entity_vectors(tagged, gold, main, types, first)


def _entity_vectors(
    tagged: Tagged, gold: Sequence[Sequence[str]], main: str, types: Sequence[str], first: int
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


def sample_entities(
    arrays: Mapping[str, np.ndarray], *, limit: int = MAX_ENTITIES, seed: int = 0
) -> dict[str, np.ndarray]:
    """Keep a random ``limit`` of the entities, in order; the other arrays stay as they are."""
    n = len(arrays["entity"])
    if n <= limit:
        return dict(arrays)
    rows = np.sort(np.random.default_rng(seed).choice(n, limit, replace=False))
    return {name: array[rows] if name.startswith("entity") else array for name, array in arrays.items()}


def image_streams(names: Sequence[str]) -> tuple[str, ...]:
    """Return the image streams that a run has vectors of, from the names of its arrays."""
    return tuple(name.removeprefix(IMAGE) for name in names if name.startswith(IMAGE))


def main_stream(aligned: Sequence[str]) -> str:
    """Return the stream that one cosine and one map are about: the CNN's where a checkpoint aligns both."""
    return min(aligned)


def _by_span(entities: Sequence[Entity]) -> dict[tuple[int, int], str]:
    return {(entity.start, entity.end): entity.type for entity in entities}


def _half(vector: torch.Tensor) -> np.ndarray:
    return vector.half().cpu().numpy()

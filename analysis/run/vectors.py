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

import numpy as np

MAX_ENTITIES = 20_000
IMAGE = "image_"


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

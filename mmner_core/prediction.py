"""From emissions to a :class:`~mmner_core.results.Prediction`: decode, score each span exactly, name the runner-up.

Shapes: W words, L tags, T types, H heads, K attention keys, D width.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from mmner_core.labels import Entity, tags_to_entities
from mmner_core.model import MMNER
from mmner_core.results import AttentionMap, Candidate, Prediction, TaggedEntity, Word


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the model said of one text.

    Attributes:
        emissions: [W, L] with the image if there is one.
        word_states: [W, D].
        text_only: [W, L] emissions without the image; None where there is none or no comparison was asked for.
        attention: per stream [H, W, K].
        text_vector: [D] in the contrastive space.
        image_vectors: per stream [D] in the contrastive space.
    """

    emissions: Tensor
    word_states: Tensor
    text_only: Tensor | None
    attention: dict[str, Tensor]
    text_vector: Tensor | None
    image_vectors: dict[str, Tensor]


def build_prediction(model: MMNER, reading: Reading, *, text: str, words: Sequence[Word], **facts: Any) -> Prediction:
    """Decode a reading.

    Args:
        model: for its CRF and the layout of its attention keys.
        reading: what it said.
        text: the text as given.
        words: its words, W of them.
        facts: the remaining fields of :class:`Prediction`.
    """
    tags = _decode(model, reading.emissions)
    spans = tags_to_entities(tags)
    alone = None if reading.text_only is None else tags_to_entities(_decode(model, reading.text_only))
    entities = _score(model, reading.emissions, spans, text, words)
    if reading.text_only is not None and alone is not None:
        entities = _compare(model, reading.text_only, entities, spans, alone)
    mask = torch.ones(1, len(words), dtype=torch.bool, device=reading.emissions.device)
    return Prediction(
        text=text,
        words=tuple(words),
        tags=tuple(tags),
        entities=tuple(entities),
        text_only_entities=None
        if reading.text_only is None or alone is None
        else tuple(_score(model, reading.text_only, alone, text, words)),
        marginals=model.crf.marginals(reading.emissions[None], mask)[0].cpu().numpy(),
        attention={stream: attention_map(model, stream, weights) for stream, weights in reading.attention.items()},
        embeddings=_embeddings(reading),
        image_text_cosine=_cosines(reading),
        **facts,
    )


def _decode(model: MMNER, emissions: Tensor) -> list[str]:
    mask = torch.ones(1, len(emissions), dtype=torch.bool, device=emissions.device)
    return model.labels.decode(model.crf.viterbi(emissions[None], mask)[0])


def _score(
    model: MMNER, emissions: Tensor, spans: Sequence[Entity], text: str, words: Sequence[Word]
) -> list[TaggedEntity]:
    """Give each span its exact probability and its runner-up type."""
    probabilities = model.crf.span_probabilities(emissions, [(e.start, e.end) for e in spans]).tolist()
    entities = []
    for span, row in zip(spans, probabilities, strict=True):
        by_type = dict(zip(model.labels.types, row, strict=True))
        others = [Candidate(t, p) for t, p in by_type.items() if t != span.type]
        start, end = words[span.start].start, words[span.end - 1].end
        entities.append(
            TaggedEntity(
                text=text[start:end],
                type=span.type,
                start=start,
                end=end,
                word_start=span.start,
                word_end=span.end,
                confidence=by_type[span.type],
                runner_up=max(others, key=lambda c: c.confidence, default=Candidate(span.type, by_type[span.type])),
            )
        )
    return entities


def _compare(
    model: MMNER, text_only: Tensor, entities: Sequence[TaggedEntity], spans: Sequence[Entity], alone: Sequence[Entity]
) -> list[TaggedEntity]:
    """Add to each entity what the text alone makes of the same span."""
    from dataclasses import replace

    rows = model.crf.span_probabilities(text_only, [(e.start, e.end) for e in spans]).tolist()
    best = [max(map(Candidate, model.labels.types, row), key=lambda c: c.confidence) for row in rows]
    return [
        replace(entity, without_image=candidate, marked_without_image=span in alone)
        for entity, span, candidate in zip(entities, spans, best, strict=True)
    ]


def attention_map(model: MMNER, stream: str, weights: Tensor) -> AttentionMap:
    """Describe a stream's attention, [H, W, K], key 0 being the "no image" key."""
    config = model.config.fusion
    pooled = stream == "cnn" and config.cnn_keys == "pooled"
    from_vit = stream == "vit" and model.vit_encoder is not None
    encoder = model.vit_encoder if from_vit else model.cnn_encoder
    return AttentionMap(
        weights=weights[..., 0 if config.null_sink else 1 :].float().cpu().numpy(),
        has_null=config.null_sink,
        has_whole=pooled or from_vit,
        grid=(0, 0) if pooled else encoder.grid,  # type: ignore[union-attr]
    )


def _embeddings(reading: Reading) -> dict[str, np.ndarray]:
    vectors = {"words": reading.word_states, **reading.image_vectors}
    if reading.text_vector is not None:
        vectors["text"] = torch.nn.functional.normalize(reading.text_vector, dim=-1)
    return {name: vector.float().cpu().numpy() for name, vector in vectors.items()}


def _cosines(reading: Reading) -> dict[str, float]:
    if reading.text_vector is None:
        return {}
    text = torch.nn.functional.normalize(reading.text_vector, dim=-1)
    return {stream: float(text @ image) for stream, image in reading.image_vectors.items()}

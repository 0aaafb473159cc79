"""Builds a :class:`~mmner_core.results.Prediction` from emissions: decoded, each span scored exactly.

The emissions of many texts, and of each text's image conditions, are decoded together: the CRF's sums run word by word,
so one pass costs nearly as much for one sentence as for thirty.

Shapes: N rows (texts times conditions), W words, L tags, T types, H heads, K attention keys, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmner_core.inference.pieces import Pieces
from mmner_core.labels import OUTSIDE, Entity, tags_to_entities
from mmner_core.network.crf import mask_words
from mmner_core.network.fusion import on_image
from mmner_core.network.model import MMNER
from mmner_core.results import AttentionMap, Candidate, Prediction, TaggedEntity, Word

_DECODED_WORDS = 4096


class ImageCondition(Enum):
    """Which image a text is tagged with: the one asked for (or none), none, or the other one."""

    AS_ASKED = "as asked"
    TEXT_ONLY = "text only"
    OTHER_IMAGE = "other image"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """The outputs of the network for one text, before they are decoded.

    Attributes:
        emissions: [W, L] per condition: ``AS_ASKED`` always, the others where they were asked for.
        word_states: [W, D].
        parts: the first word of each part of the text; a name lies within one, and each is decoded by itself.
        photo_share: [W] how much of each word's attention the photo gets; None where nothing says so.
        attention: per stream [H, W, K].
        text_vector: [D] in the contrastive space.
        image_vectors: per stream [D] in the contrastive space.
        spans: half-open word spans whose types are wanted, found or not.
    """

    emissions: Mapping[ImageCondition, Tensor]
    word_states: Tensor
    parts: Sequence[int]
    photo_share: Tensor | None
    attention: Mapping[str, Tensor]
    text_vector: Tensor | None
    image_vectors: Mapping[str, Tensor]
    spans: Sequence[tuple[int, int]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """The result of decoding one text, part by part.

    Attributes:
        tags: the best sequence as asked.
        spans: per condition ``AS_ASKED`` and ``TEXT_ONLY``, the entities of the best sequence, in no order.
        probabilities: per condition, [T] for each of its own spans and of those of ``AS_ASKED``, the wanted ones among
            them.
        marginals: [W, L] as asked.
    """

    tags: list[str]
    spans: dict[ImageCondition, list[Entity]]
    probabilities: dict[ImageCondition, dict[tuple[int, int], list[float]]]
    marginals: np.ndarray


class _TextPart(NamedTuple):
    """A part of a text, from word to word."""

    text: int
    start: int
    stop: int


class _Row(NamedTuple):
    """A row of a batch to decode: a part of a text, in one condition."""

    part: _TextPart
    condition: ImageCondition


def predict_in_pieces(
    model: MMNER,
    readings: Sequence[Reading],
    words: Sequence[Sequence[Word]],
    facts: Sequence[Mapping[str, Any]],
) -> Pieces[list[Prediction]]:
    """Decode readings, some parts of like length in each piece.

    Args:
        model: for its CRF and the layout of its attention keys.
        readings: what it said.
        words: the words of each text, W of them.
        facts: the remaining fields of each :class:`Prediction`, the text among them.
    """
    decoded = [_nothing_yet(reading, len(model.labels)) for reading in readings]
    for parts in _by_length(readings):
        yield from _decode(model, readings, parts, decoded)
        yield
    return [_build(model, reading, decoded[i], words=words[i], **facts[i]) for i, reading in enumerate(readings)]


def _nothing_yet(reading: Reading, n_labels: int) -> _Decoded:
    n_words = len(reading.word_states)
    return _Decoded(
        tags=[OUTSIDE] * n_words,
        spans={c: [] for c in reading.emissions if c is not ImageCondition.OTHER_IMAGE},
        probabilities={c: {} for c in reading.emissions},
        marginals=np.empty((n_words, n_labels), dtype=np.float32),
    )


def _by_length(readings: Sequence[Reading]) -> Iterator[list[_TextPart]]:
    """Group parts of like length: a long one and a thousand short ones together would be nearly all padding."""
    all_parts = [
        _TextPart(i, start, stop)
        for i, reading in enumerate(readings)
        for start, stop in pairwise([*reading.parts, len(reading.word_states)])
    ]
    parts: list[_TextPart] = []
    longest = 0
    for part in sorted(all_parts, key=lambda part: part.start - part.stop):
        longest = longest or part.stop - part.start
        parts.append(part)
        if (len(parts) + 1) * longest > _DECODED_WORDS:
            yield parts
            parts, longest = [], 0
    if parts:
        yield parts


@torch.no_grad()
def _decode(
    model: MMNER, readings: Sequence[Reading], parts: Sequence[_TextPart], decoded: Sequence[_Decoded]
) -> Pieces[None]:
    """Run the CRF over parts of like length, in all conditions, and store the results with their texts."""
    crf, labels = model.crf, model.labels
    keys = [_Row(part, condition) for part in parts for condition in readings[part.text].emissions]
    seen = {key.part: n for n, key in enumerate(keys) if key.condition is ImageCondition.AS_ASKED}
    rows = [readings[part.text].emissions[condition][part.start : part.stop].float() for part, condition in keys]
    emissions = torch.nn.utils.rnn.pad_sequence(rows, batch_first=True)  # [N, W, L]
    mask = mask_words(emissions, [len(row) for row in rows])
    paths = [labels.decode(path) for path in crf.viterbi(emissions, mask)]
    yield  # twenty thousand words take a third of a second until here, and as long again
    messages = crf.messages(emissions, mask)
    spans = [tags_to_entities(path) for path in paths]
    asked = {
        (n, span.start, span.end): None
        for n, key in enumerate(keys)
        for span in (*spans[seen[key.part]], *(spans[n] if key.condition is not ImageCondition.OTHER_IMAGE else ()))
    }
    asked |= {
        (n, first - start, stop - start): None
        for (text, start, end), n in seen.items()
        for first, stop in readings[text].spans
        if start <= first < stop <= end
    }
    scores = crf.span_probabilities(emissions, mask, list(asked), messages).tolist()
    marginals = crf.marginals(emissions, mask, messages).cpu().numpy()
    for n, ((text, start, stop), condition) in enumerate(keys):
        if condition is ImageCondition.AS_ASKED:
            decoded[text].tags[start:stop] = paths[n]
            decoded[text].marginals[start:stop] = marginals[n, : stop - start]
        if condition is not ImageCondition.OTHER_IMAGE:
            decoded[text].spans[condition].extend(_shift(span, start) for span in spans[n])
    for (n, start, end), score in zip(asked, scores, strict=True):
        (text, first, _), condition = keys[n]
        decoded[text].probabilities[condition][first + start, first + end] = score


def _shift(span: Entity, words: int) -> Entity:
    return Entity(span.start + words, span.end + words, span.type)


def _build(model: MMNER, reading: Reading, decoded: _Decoded, *, words: Sequence[Word], **facts: Any) -> Prediction:
    return Prediction(
        words=tuple(words),
        tags=tuple(decoded.tags),
        entities=tuple(_entities(model, decoded, ImageCondition.AS_ASKED, facts["text"], words, reading.photo_share)),
        text_only_entities=tuple(_entities(model, decoded, ImageCondition.TEXT_ONLY, facts["text"], words))
        if ImageCondition.TEXT_ONLY in decoded.spans
        else None,
        marginals=decoded.marginals,
        wanted=_wanted(model, reading, decoded),
        attention={stream: attention_map(model, stream, weights) for stream, weights in reading.attention.items()},
        embeddings=_embeddings(reading),
        image_text_cosine=_cosines(reading),
        **facts,
    )


def _entities(
    model: MMNER,
    decoded: _Decoded,
    condition: ImageCondition,
    text: str,
    words: Sequence[Word],
    photo_share: Tensor | None = None,
) -> Iterator[TaggedEntity]:
    """Give each span of a condition its probability, its runner-up and what the other conditions make of it."""
    types = model.labels.types
    compared = condition is ImageCondition.AS_ASKED and ImageCondition.TEXT_ONLY in decoded.spans
    text_only = set(decoded.spans[ImageCondition.TEXT_ONLY]) if compared else set()
    for span in sorted(decoded.spans[condition]):
        place = (span.start, span.end)
        by_type = dict(zip(types, decoded.probabilities[condition][place], strict=True))
        others = [Candidate(t, p) for t, p in by_type.items() if t != span.type]
        start, end = words[span.start].start, words[span.end - 1].end
        yield TaggedEntity(
            text=text[start:end],
            type=span.type,
            start=start,
            end=end,
            word_start=span.start,
            word_end=span.end,
            confidence=by_type[span.type],
            runner_up=max(others, key=lambda c: c.confidence, default=Candidate(span.type, by_type[span.type])),
            without_image=_best(types, decoded.probabilities[ImageCondition.TEXT_ONLY][place]) if compared else None,
            marked_without_image=span in text_only if compared else None,
            with_other_image=_best(types, decoded.probabilities[ImageCondition.OTHER_IMAGE][place])
            if condition is ImageCondition.AS_ASKED and ImageCondition.OTHER_IMAGE in decoded.probabilities
            else None,
            photo_share=None if photo_share is None else float(photo_share[span.start : span.end].mean()),
        )


def _wanted(model: MMNER, reading: Reading, decoded: _Decoded) -> dict[tuple[int, int], dict[str, float]]:
    """Return the types of the wanted spans; one that lies in no single part of the text is no name."""
    known = decoded.probabilities[ImageCondition.AS_ASKED]
    none = [0.0] * len(model.labels.types)
    return {span: dict(zip(model.labels.types, known.get(span, none), strict=True)) for span in reading.spans}


def _best(types: Sequence[str], probabilities: Sequence[float]) -> Candidate:
    return max(map(Candidate, types, probabilities), key=lambda c: c.confidence)


def attention_map(model: MMNER, stream: str, weights: Tensor) -> AttentionMap:
    """Return a stream's attention, [H, W, K], without the "no image" key where that is no sink and has no weight."""
    layout, has_null = model.key_layout(stream), model.config.fusion.null_sink
    return AttentionMap(
        weights=(weights if has_null else on_image(weights)).float().cpu().numpy(),
        has_null=has_null,
        has_whole=layout.has_whole,
        grid=layout.grid,
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

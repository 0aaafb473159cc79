"""From emissions to :class:`~mmner_core.results.Prediction`: decode, score each span exactly, name the runner-up.

The emissions of many texts, and of each text's image conditions, are decoded together: the CRF's sums run word by word,
so one pass costs nearly as much for one sentence as for thirty.

Shapes: N rows (texts times conditions), W words, L tags, T types, H heads, K attention keys, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mmner_core.crf import mask_words
from mmner_core.labels import Entity, tags_to_entities
from mmner_core.model import MMNER
from mmner_core.results import AttentionMap, Candidate, Prediction, TaggedEntity, Word

SEEN, ALONE, OTHER = "emissions", "text_only", "other_image"
"""Image conditions: as asked, without the image, with the other image."""
_DECODED_WORDS = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the model said of one text.

    Attributes:
        emissions: [W, L] per condition: ``SEEN`` always, ``ALONE`` and ``OTHER`` where they were asked for.
        word_states: [W, D].
        parts: the first word of each part of the text; a name lies within one, and each is decoded by itself.
        photo_share: [W] how much of each word's attention the photo gets; None where nothing says so.
        attention: per stream [H, W, K].
        text_vector: [D] in the contrastive space.
        image_vectors: per stream [D] in the contrastive space.
    """

    emissions: Mapping[str, Tensor]
    word_states: Tensor
    parts: Sequence[int]
    photo_share: Tensor | None
    attention: Mapping[str, Tensor]
    text_vector: Tensor | None
    image_vectors: Mapping[str, Tensor]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Decoded:
    """What the CRF makes of one text.

    Attributes:
        tags: the best sequence as asked.
        spans: per condition ``SEEN`` and ``ALONE``, the entities of the best sequence.
        probabilities: per condition, [T] for each of its own spans and of those of ``SEEN``.
        marginals: [W, L] as asked.
    """

    tags: list[str]
    spans: dict[str, list[Entity]]
    probabilities: dict[str, dict[tuple[int, int], list[float]]]
    marginals: np.ndarray


class _Row(NamedTuple):
    """What is decoded in one row of a batch: a part of a text, from word to word, in one condition."""

    text: int
    condition: str
    start: int
    stop: int


def build_predictions(
    model: MMNER,
    readings: Sequence[Reading],
    words: Sequence[Sequence[Word]],
    facts: Sequence[Mapping[str, Any]],
) -> list[Prediction]:
    """Decode readings.

    Args:
        model: for its CRF and the layout of its attention keys.
        readings: what it said.
        words: the words of each text, W of them.
        facts: the remaining fields of each :class:`Prediction`, the text among them.
    """
    decoded: dict[int, _Decoded] = {}
    for rows in _by_length(readings):
        decoded.update(zip(rows, _decode(model, [readings[i] for i in rows]), strict=True))
    return [_build(model, reading, decoded[i], words=words[i], **facts[i]) for i, reading in enumerate(readings)]


def _by_length(readings: Sequence[Reading]) -> Iterator[list[int]]:
    """Group texts of like length, so that few of the decoded words are padding."""
    rows: list[int] = []
    longest = 0
    for i in sorted(range(len(readings)), key=lambda i: -len(readings[i].word_states)):
        longest = longest or len(readings[i].word_states)
        rows.append(i)
        if (len(rows) + 1) * longest > _DECODED_WORDS:
            yield rows
            rows, longest = [], 0
    if rows:
        yield rows


@torch.no_grad()
def _decode(model: MMNER, readings: Sequence[Reading]) -> list[_Decoded]:
    """Run the CRF over the parts of some texts of like length, in all conditions."""
    crf, labels = model.crf, model.labels
    keys = [
        _Row(i, condition, start, stop)
        for i, reading in enumerate(readings)
        for condition in reading.emissions
        for start, stop in pairwise([*reading.parts, len(reading.word_states)])
    ]
    row = {(key.text, key.condition, key.start): n for n, key in enumerate(keys)}
    parts = [readings[key.text].emissions[key.condition][key.start : key.stop].float() for key in keys]
    emissions = torch.nn.utils.rnn.pad_sequence(parts, batch_first=True)  # [N, W, L]
    mask = mask_words(emissions, [len(part) for part in parts])
    paths = [labels.decode(path) for path in crf.viterbi(emissions, mask)]
    messages = crf.messages(emissions, mask)
    spans = [tags_to_entities(path) for path in paths]
    asked = {
        (n, span.start, span.end): None
        for n, key in enumerate(keys)
        for span in (*spans[row[key.text, SEEN, key.start]], *(spans[n] if key.condition != OTHER else ()))
    }
    scores = crf.batch_span_probabilities(emissions, mask, list(asked), messages).tolist()
    marginals = crf.marginals(emissions, mask, messages).cpu().numpy()
    decoded = [
        _Decoded(
            tags=[],
            spans={c: [] for c in reading.emissions if c != OTHER},
            probabilities={c: {} for c in reading.emissions},
            marginals=np.empty((len(reading.word_states), len(labels)), dtype=marginals.dtype),
        )
        for reading in readings
    ]
    for n, key in enumerate(keys):
        if key.condition == SEEN:
            decoded[key.text].tags.extend(paths[n])
            decoded[key.text].marginals[key.start : key.stop] = marginals[n, : key.stop - key.start]
        if key.condition != OTHER:
            decoded[key.text].spans[key.condition].extend(_shift(span, key.start) for span in spans[n])
    for (n, start, end), score in zip(asked, scores, strict=True):
        key = keys[n]
        decoded[key.text].probabilities[key.condition][key.start + start, key.start + end] = score
    return decoded


def _shift(span: Entity, words: int) -> Entity:
    return Entity(span.start + words, span.end + words, span.type)


def _build(model: MMNER, reading: Reading, decoded: _Decoded, *, words: Sequence[Word], **facts: Any) -> Prediction:
    return Prediction(
        words=tuple(words),
        tags=tuple(decoded.tags),
        entities=tuple(_entities(model, decoded, SEEN, facts["text"], words, reading.photo_share)),
        text_only_entities=tuple(_entities(model, decoded, ALONE, facts["text"], words))
        if ALONE in decoded.spans
        else None,
        marginals=decoded.marginals,
        attention={stream: attention_map(model, stream, weights) for stream, weights in reading.attention.items()},
        embeddings=_embeddings(reading),
        image_text_cosine=_cosines(reading),
        **facts,
    )


def _entities(
    model: MMNER,
    decoded: _Decoded,
    condition: str,
    text: str,
    words: Sequence[Word],
    photo_share: Tensor | None = None,
) -> Iterator[TaggedEntity]:
    """Give each span of a condition its probability, its runner-up and what the other conditions make of it."""
    types = model.labels.types
    for span in decoded.spans[condition]:
        place = (span.start, span.end)
        by_type = dict(zip(types, decoded.probabilities[condition][place], strict=True))
        others = [Candidate(t, p) for t, p in by_type.items() if t != span.type]
        start, end = words[span.start].start, words[span.end - 1].end
        compared = condition == SEEN and ALONE in decoded.spans
        yield TaggedEntity(
            text=text[start:end],
            type=span.type,
            start=start,
            end=end,
            word_start=span.start,
            word_end=span.end,
            confidence=by_type[span.type],
            runner_up=max(others, key=lambda c: c.confidence, default=Candidate(span.type, by_type[span.type])),
            without_image=_best(types, decoded.probabilities[ALONE][place]) if compared else None,
            marked_without_image=span in decoded.spans[ALONE] if compared else None,
            with_other_image=_best(types, decoded.probabilities[OTHER][place])
            if condition == SEEN and OTHER in decoded.probabilities
            else None,
            photo_share=None if photo_share is None else float(photo_share[span.start : span.end].mean()),
        )


def _best(types: Sequence[str], probabilities: Sequence[float]) -> Candidate:
    return max(map(Candidate, types, probabilities), key=lambda c: c.confidence)


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

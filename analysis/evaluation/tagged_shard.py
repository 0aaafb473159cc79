"""A tagged shard: its sentences under each condition, and their rows of the predictions table.

Shapes: W words, G cells of the photo.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from analysis.conditions.conditions import ShownImage
from analysis.evaluation.decoding import Decoded
from analysis.evaluation.image_features import ImageFeatures
from analysis.evaluation.text_states import TextShard
from analysis.run.evaluation_set import EvaluationSet
from analysis.run.schema import SCHEMA, checked


@dataclass(slots=True, kw_only=True)
class TaggedSentence:
    """The model's answer to one sentence under one condition.

    Attributes:
        sentence: place in the shard.
        condition: the image condition.
        source: what it was shown.
        decoded: tags, entities and their probabilities.
        cosine: of text and image in the main aligned stream (``vectors.main_stream``); None without an image.
        attention_entropy: per predicted entity, nats; None without an image or a stream that has cells.
        words: the words as they were changed; None for as they are.
    """

    sentence: int
    condition: str
    source: ShownImage
    decoded: Decoded
    cosine: float | None
    attention_entropy: list[float] | None
    words: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedShard:
    """The sentences of a shard, tagged under every condition.

    Attributes:
        answers: in the order of the conditions, then of the sentences.
        text: the encoded sentences.
        images: what each sentence with an image was shown under "matched": place to features.
        skipped: per condition the sentences whose photo turned out to be unreadable.
    """

    answers: list[TaggedSentence]
    text: TextShard
    images: dict[int, ImageFeatures]
    skipped: dict[str, list[int]]


def attention_entropies(attention: Sequence[np.ndarray] | None, decoded: Decoded) -> list[float] | None:
    """Return per predicted entity the entropy of the attention over the photo's cells, nats; None without attention.

    Args:
        attention: per stream that has cells [W, G], mean over heads, not scaled. The weights of an entity's words are
            added and scaled to 1; with several streams the mean of their entropies is returned.
        decoded: the sentence.
    """
    if attention is None:
        return None
    entropies = []
    for entity in decoded.entities or ():
        shares = [weights[entity["start"] : entity["end"]].sum(0) for weights in attention]
        shares = [share / max(float(share.sum()), 1e-12) for share in shares]
        entropies.append(float(np.mean([-(p[p > 0] * np.log(p[p > 0])).sum() for p in shares])))
    return entropies


def to_table(answers: Sequence[TaggedSentence], data: EvaluationSet, first: int) -> pa.Table:
    """Return the rows of :mod:`analysis.run.schema`.

    Args:
        answers: of one shard.
        data: all sentences of the run.
        first: number of the shard's first sentence.
    """
    ids = [first + answer.sentence for answer in answers]
    examples = [data.examples[i] for i in ids]
    shown = [_shown(answer.source, data, i) for answer, i in zip(answers, ids, strict=True)]
    columns = {
        "sentence_id": ids,
        "where": [e.where for e in examples],
        "language": [e.language or "" for e in examples],
        "source": [data.sources[i] for i in ids],
        "kind": [data.kinds[i] for i in ids],
        "words": [list(e.words) for e in examples],
        "gold": [list(e.tags or ()) for e in examples],
        "image_id": [image_id for image_id, _ in shown],
        "image_path": [path for _, path in shown],
        "condition": [a.condition for a in answers],
        "tags": [a.decoded.tags for a in answers],
        "entities": [a.decoded.entities for a in answers],
        "gold_span_confidence": [a.decoded.gold_confidence for a in answers],
        "loss": [a.decoded.loss for a in answers],
        "cosine": [a.cosine for a in answers],
        "attention_entropy": [a.attention_entropy for a in answers],
        "shown_words": [None if a.words is None else list(a.words) for a in answers],
    }
    return checked(pa.table(columns, schema=SCHEMA), "the tagged shard")


def _shown(source: ShownImage, data: EvaluationSet, sentence: int) -> tuple[str, str]:
    """Return id and file of the image a sentence was shown; the id of one without a file is its kind."""
    if source.kind == "none":
        return "", ""
    if source.path is None:
        return source.kind, ""
    owner = data.examples[source.owner if source.owner is not None else sentence]
    image_id = owner.image_id if owner.image == source.path else None
    return image_id or source.path.stem, str(source.path)

"""Collects the vectors that a model of your own gives, in the form of :mod:`analysis.run.vectors`.

Entity types are filled in when the run is complete, since only then all types that the model answers are known.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.run.vectors import IMAGE
from mmner_core.labels import tags_to_entities

if TYPE_CHECKING:
    from analysis.own_model.checked import CheckedAnswer
    from analysis.run.answers import Answers
    from analysis.run.evaluation_set import EvaluationSet

STREAM = "model"
"""What the one image stream of a model of your own is called."""
_PLACES = ("entity_sentence_id", "entity_start", "entity_end")


def collect_vectors(
    data: EvaluationSet, answers: Mapping[int, CheckedAnswer], places: range, parts: Mapping[str, int]
) -> dict[str, np.ndarray]:
    """Return the arrays of a shard.

    Args:
        data: all sentences.
        answers: those under the main condition, by sentence.
        places: the sentences of the shard.
        parts: what the model's answers consist of, with the width of vectors.
    """
    arrays: dict[str, np.ndarray] = {"sentence_id": np.array(places, dtype=np.int32)}
    if "text_vector" in parts:
        shape = (len(places), parts["text_vector"])
        pairs = {name: np.zeros(shape, dtype=np.float16) for name in ("text", IMAGE + STREAM)}
        has_image = np.zeros(len(places), dtype=np.uint8)
        for row, answer in answers.items():
            place = row - places.start
            for name, vector in (("text", answer.text_vector), (IMAGE + STREAM, answer.image_vector)):
                if vector is not None:
                    pairs[name][place] = vector
            has_image[place] = answer.image_vector is not None
        arrays |= pairs | {"has_image": has_image}
    vectors, spans = [], []
    for row, answer in answers.items():
        if answer.word_vectors is not None:
            gold = tags_to_entities(data.examples[row].tags or ())
            for start, end in dict.fromkeys((e.start, e.end) for e in (*gold, *tags_to_entities(answer.tags))):
                vectors.append(answer.word_vectors[start:end].mean(0))
                spans.append((row, start, end))
    table = np.array(spans, dtype=np.int32).reshape(-1, 3)
    empty = np.zeros((0, parts.get("word_vectors", 1)), dtype=np.float32)
    return arrays | {
        "entity": np.stack(vectors) if vectors else empty,
        **{name: table[:, column] for column, name in enumerate(_PLACES)},
    }


def with_types(arrays: Mapping[str, np.ndarray], answers: Answers, types: Sequence[str]) -> dict[str, np.ndarray]:
    """Return the arrays with the types of the entities, as indices into ``types``; -1 where a side has none.

    Vectors of texts without a single one of an image are left out: there is no space to show.

    Args:
        arrays: of all shards.
        answers: under the main condition.
        types: all of the run.
    """
    codes = {name: code for code, name in enumerate(types)}
    ids = answers.sentences["sentence_id"].to_numpy()
    spans = list(zip(*(arrays[name].tolist() for name in _PLACES), strict=True))
    found = {}
    for name, side in (("entity_gold", answers.gold), ("entity_predicted", answers.predicted)):
        columns = (ids[side.sentence].tolist(), side.start.tolist(), side.end.tolist(), side.type_names())
        known = {(row, start, end): codes[kind] for row, start, end, kind in zip(*columns, strict=True)}
        found[name] = np.array([known.get(span, -1) for span in spans], dtype=np.int32)
    alone = not arrays.get("has_image", np.ones(1)).any()
    left_out = ("text", IMAGE + STREAM, "has_image") if alone else ()
    return {name: array for name, array in arrays.items() if name not in left_out} | found

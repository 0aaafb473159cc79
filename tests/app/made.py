"""Predictions made by hand, for tests of how a result is shown."""

from __future__ import annotations

import numpy as np

from mmner_core.results import AttentionMap, Candidate, Crop, Prediction, TaggedEntity, Word

TEXT = "Jordan met\n<b>Ada</b> & co  in Rome"
WORDS = (
    Word("Jordan", 0, 6), Word("met", 7, 10), Word("<b>", 11, 14), Word("Ada", 14, 17), Word("</b>", 17, 21),
    Word("&", 22, 23), Word("co", 24, 26), Word("in", 28, 30), Word("Rome", 31, 35),
)  # fmt: skip


def entity(
    word: int, type_: str, confidence: float = 0.83, *, stop: int | None = None, without: Candidate | None = None
) -> TaggedEntity:
    """Make an entity over the words from ``word`` to ``stop``."""
    last = (stop or word + 1) - 1
    return TaggedEntity(
        text=TEXT[WORDS[word].start : WORDS[last].end],
        type=type_,
        start=WORDS[word].start,
        end=WORDS[last].end,
        word_start=word,
        word_end=last + 1,
        confidence=confidence,
        runner_up=Candidate("ORG", 0.1),
        without_image=without,
        marked_without_image=None if without is None else without.type == type_,
    )


def attention(cells: np.ndarray, null: float = 0.0) -> AttentionMap:
    """Make a stream whose cells [H, W, rows, columns] share what the "no image" key leaves them."""
    heads, words, rows, columns = cells.shape
    flat = (1 - null) * cells.reshape(heads, words, -1) / cells.sum(axis=(2, 3)).reshape(heads, words, 1)
    weights = np.concatenate([np.full((heads, words, 1), null), flat], axis=-1)
    return AttentionMap(weights=weights, has_null=True, has_whole=False, grid=(rows, columns))


def prediction(
    entities: tuple[TaggedEntity, ...] = (),
    text_only: tuple[TaggedEntity, ...] | None = None,
    *,
    streams: dict[str, AttentionMap] | None = None,
    notes: tuple[str, ...] = (),
) -> Prediction:
    """Make a prediction for ``TEXT``, with a photo of 400 x 300 pixels where there are streams."""
    has_photo = bool(streams)
    tags = ["O"] * len(WORDS)
    for e in entities:
        tags[e.word_start : e.word_end] = [f"B-{e.type}", *[f"I-{e.type}"] * (e.word_end - e.word_start - 1)]
    return Prediction(
        text=TEXT,
        language="en",
        language_detected=True,
        words=WORDS,
        tags=tuple(tags),
        entities=entities,
        text_only_entities=text_only,
        marginals=np.zeros((len(WORDS), 9)),
        attention=streams or {},
        image_size=(400, 300) if has_photo else None,
        crop=Crop(50, 0, 350, 300) if has_photo else None,
        notes=notes,
    )

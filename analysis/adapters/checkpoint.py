"""A checkpoint of this project as a model of your own, evaluated in the same way as any other model.

``run --checkpoint`` is faster and reports more; this is for comparing it with other models on equal terms.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from analysis.own_model import Answer, Item
from analysis.run.vectors import main_stream

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction

_CELLS = 28
"""Rows and columns of a map over the whole photo, of which the model sees the part that its crop leaves."""


def tagger(path: str, device: str = "cpu", convention: str | None = None) -> TaggerModel:
    """Load a checkpoint.

    Args:
        path: its folder.
        device: where to run.
        convention: annotation convention to read by; None: the checkpoint's default.
    """
    from mmner_core.inference.tagger import Tagger

    return TaggerModel(Tagger.load(path, device=device), convention)


class TaggerModel:
    """A tagger that answers the items of a batch one by one.

    Args:
        tagger: the checkpoint.
        convention: annotation convention to read by.

    Attributes:
        types, reads_images, digest: of the checkpoint.
        hidden_word: what its tokenizer does not know.
    """

    hidden_word = "\ufffd"

    def __init__(self, tagger: Tagger, convention: str | None = None) -> None:
        self.tagger, self.convention = tagger, convention
        self.types = tagger.labels.types
        self.reads_images = tagger.reads_images
        self.digest = tagger.digest

    def predict(self, items: Sequence[Item]) -> list[Answer]:
        """Answer with tags, marginal probabilities, attention maps and vectors."""
        from mmner_core.inference.tag_job import TagRequest
        from mmner_core.results import Word

        requests = []
        for item in items:
            ends = list(accumulate(len(word) + 1 for word in item.words))
            words = tuple(Word(w, end - 1 - len(w), end - 1) for w, end in zip(item.words, ends, strict=True))
            text = " ".join(item.words)
            lang = item.language or None
            requests.append(TagRequest(text=text, image=item.image, lang=lang, convention=self.convention, words=words))
        return [self._answer(prediction) for prediction in self.tagger.tag_batch(requests, compare=False)]

    def _answer(self, prediction: Prediction) -> Answer:
        tags, vectors = self.tagger.labels.tags, prediction.embeddings
        streams = [name for name in vectors if name not in ("text", "words")]
        shown = prediction.image_size is not None and self.reads_images
        return Answer(
            tags=prediction.tags,
            probabilities=[dict(zip(tags, word, strict=True)) for word in prediction.marginals.tolist()],
            maps=_maps(prediction) if shown else None,
            text_vector=vectors.get("text"),
            image_vector=vectors[main_stream(streams)] if streams else None,
            word_vectors=vectors["words"],
        )


def _maps(prediction: Prediction) -> list[np.ndarray] | None:
    """Return per entity the attention on the photo's cells, mean over heads, words and streams with cells."""
    by_stream = [one.cells().mean(0) for one in prediction.attention.values() if one.grid != (0, 0)]
    cells = [one for one in by_stream if one.shape == by_stream[0].shape]
    if not cells:
        return None
    mean = np.mean(cells, axis=0)  # [W, rows, columns]
    return [_on_photo(mean[e.word_start : e.word_end].mean(0), prediction) for e in prediction.entities]


def _on_photo(cells: np.ndarray, prediction: Prediction) -> np.ndarray:
    """Lay a map of the crop over the whole photo; outside of the crop it is 0."""
    assert prediction.image_size is not None and prediction.crop is not None  # noqa: S101 (there is a photo)
    (width, height), crop = prediction.image_size, prediction.crop
    centres = (np.arange(_CELLS) + 0.5) / _CELLS
    y = np.floor((centres * height - crop.top) / (crop.bottom - crop.top) * cells.shape[0]).astype(int)
    x = np.floor((centres * width - crop.left) / (crop.right - crop.left) * cells.shape[1]).astype(int)
    inside = np.outer((y >= 0) & (y < cells.shape[0]), (x >= 0) & (x < cells.shape[1]))
    laid = cells[np.clip(y, 0, cells.shape[0] - 1)][:, np.clip(x, 0, cells.shape[1] - 1)]
    return np.where(inside, laid, 0.0)

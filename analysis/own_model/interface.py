"""The interface of a model of your own: what it is asked and what it answers."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image


@dataclass(frozen=True, slots=True)
class Item:
    """One question: tag these words, beside this image.

    Attributes:
        words: the words, W of them, as the data have them.
        image: upright and in RGB; None where the sentence has none or none is to be seen.
        language: "en", "fr", "de", "es", or "" where it is not known.
    """

    words: tuple[str, ...]
    image: Image | None = None
    language: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A model's answer to one item; only the tags are required.

    Attributes:
        tags: one IOB2 tag per word: ``O``, ``B-TYPE`` or ``I-TYPE``.
        probabilities: per word, either a mapping from tags to probabilities (tags left out have 0), or the probability
            of the tag answered.
        maps: one heat map [rows, columns] per entity of ``tags`` in order, over the whole image; the more, the hotter.
        text_vector: [D] the text in a space shared with images.
        image_vector: [D] the image in that space; None for an item without one.
        word_vectors: [W, D'] one vector per word, in a space of any kind.
    """

    tags: Sequence[str]
    probabilities: Sequence[float] | Sequence[Mapping[str, float]] | None = None
    maps: Sequence[np.ndarray] | Sequence[Sequence[Sequence[float]]] | None = None
    text_vector: np.ndarray | Sequence[float] | None = None
    image_vector: np.ndarray | Sequence[float] | None = None
    word_vectors: np.ndarray | Sequence[Sequence[float]] | None = None


class Model(Protocol):
    """What a factory returns: any object with ``predict``.

    It may have these attributes as well:

    ``types``
        The entity types it knows, so that a mistaken ``--map`` is noticed before the first question.
    ``reads_images``
        False: it is never shown an image, and asked under the condition "none" alone.
    ``image_side``
        The short side, in pixels, below which no image is shrunk; 512 unless it says otherwise.
    ``hidden_word``
        What stands in place of each word where the words are hidden; "[UNK]" unless it says otherwise.
    ``digest``
        Names the model's weights; without it, the factory's source file and the files among its options are digested.
    ``close``
        Is called at the end.
    """

    def predict(self, items: Sequence[Item]) -> Iterable[Answer | Sequence[str]]:
        """Answer some items, in their order; a plain list of tags is an answer too."""
        ...

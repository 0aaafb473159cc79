"""What the tagger returns: plain dataclasses with every shape and unit stated."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import numpy as np


class Word(NamedTuple):
    """A word and where it stands: ``text == source[start:end]`` in characters of the text as given."""

    text: str
    start: int
    end: int


class Candidate(NamedTuple):
    """A type for a fixed span and its exact CRF probability (0 to 1)."""

    type: str
    confidence: float


class Crop(NamedTuple):
    """The rectangle of the original photo that the model saw, in pixels of the upright photo."""

    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True, kw_only=True)
class TaggedEntity:
    """A name found in the text.

    Attributes:
        text: the characters ``source[start:end]``.
        start, end: half-open character span in the text as given.
        word_start, word_end: half-open word span.
        confidence: exact CRF probability of this span with this type (constrained partition over partition).
        runner_up: the second most probable type for the same span.
        without_image: the most probable type of the same span when the model is given no image; None where no
            image was given or the comparison was not asked for.
        marked_without_image: whether the text alone yields this very span and type; None as above.
        with_other_image: the most probable type of the same span when the model is shown the request's other image;
            None where there was none.
        photo_share: how much of these words' attention lies on the photo, from 0 to 1, mean over the words: as far the
            photo has a say in their tags; None without an image, or where the model's attention is not grounded.
    """

    text: str
    type: str
    start: int
    end: int
    word_start: int
    word_end: int
    confidence: float
    runner_up: Candidate
    without_image: Candidate | None = None
    marked_without_image: bool | None = None
    with_other_image: Candidate | None = None
    photo_share: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionMap:
    """Where the words looked, in one image stream.

    Attributes:
        weights: [H, W, K] attention of each head and word over the keys; each row sums to 1.
        has_null: key 0 is the learnt "no image" key (attention spent on nothing in the photo).
        has_whole: the next key is the whole-image token (a ViT's class token).
        grid: rows and columns of the remaining keys, row-major over the crop; (0, 0) where the stream has no map.
    """

    weights: np.ndarray
    has_null: bool
    has_whole: bool
    grid: tuple[int, int]

    def cells(self) -> np.ndarray:
        """Return the attention on the photo's cells, [H, W, rows, columns]; sums to at most 1 per word."""
        first = self.has_null + self.has_whole
        return self.weights[..., first:].reshape(*self.weights.shape[:2], *self.grid)

    def null_share(self) -> np.ndarray | None:
        """Return the attention on the "no image" key, [H, W], or None where there is no such key."""
        return self.weights[..., 0] if self.has_null else None

    def whole_share(self) -> np.ndarray | None:
        """Return the attention on the whole-image token, [H, W], or None where there is no such token."""
        return self.weights[..., int(self.has_null)] if self.has_whole else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Everything the tagger has to say about one text and image.

    Attributes:
        text: the text as given; every character offset refers to it.
        language: language the words were split by: "en", "fr", "de" or "es".
        language_detected: whether it was detected (True) or given (False).
        words: the words, W of them.
        tags: one IOB2 tag per word.
        entities: the names, in order.
        text_only_entities: the names found when the model is given no image; None where that was not computed.
        marginals: [W, L] CRF marginal probability of each tag.
        wanted: exact CRF probability of each type for the word spans that were asked about besides.
        attention: per image stream ("vit", "cnn"); empty without an image.
        image_size: (width, height) of the upright photo in pixels, None without an image.
        crop: the part of the photo the model saw, None without an image.
        embeddings: named vectors: "text", "vit", "cnn" (unit length, the contrastive space), "words" [W, D].
        image_text_cosine: cosine of the text and image vectors per stream, -1 to 1; empty without an image.
        windows: how many overlapping windows the text took (1: it fitted).
        notes: what the user should know: one sentence each.
    """

    text: str
    language: str
    language_detected: bool
    words: tuple[Word, ...]
    tags: tuple[str, ...]
    entities: tuple[TaggedEntity, ...]
    marginals: np.ndarray
    wanted: dict[tuple[int, int], dict[str, float]] = field(default_factory=dict)
    text_only_entities: tuple[TaggedEntity, ...] | None = None
    attention: dict[str, AttentionMap] = field(default_factory=dict)
    image_size: tuple[int, int] | None = None
    crop: Crop | None = None
    embeddings: dict[str, np.ndarray] = field(default_factory=dict)
    image_text_cosine: dict[str, float] = field(default_factory=dict)
    windows: int = 1
    notes: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the stable JSON form: text, language, entities with character offsets, notes."""
        return {
            "text": self.text,
            "language": self.language,
            "entities": [_entity_json(entity) for entity in self.entities],
            "notes": list(self.notes),
        }

    def to_bio(self) -> str:
        """Return ``word<TAB>tag`` lines, as the MMNERD format has them."""
        return "".join(f"{word.text}\t{tag}\n" for word, tag in zip(self.words, self.tags, strict=True))


def _entity_json(entity: TaggedEntity) -> dict[str, Any]:
    record: dict[str, Any] = {
        "text": entity.text,
        "type": entity.type,
        "start": entity.start,
        "end": entity.end,
        "confidence": entity.confidence,
        "runner_up": entity.runner_up._asdict(),
    }
    if entity.without_image is not None:
        record["without_image"] = entity.without_image._asdict()
    if entity.with_other_image is not None:
        record["with_other_image"] = entity.with_other_image._asdict()
    return record

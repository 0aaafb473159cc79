"""Checks a model's answers: brings them into the one form that everything else relies on, or refuses them.

Shapes: W words, D width of a vector.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.own_model.interface import Answer, Item
from mmner_core.labels import is_tag, tags_to_entities

if TYPE_CHECKING:
    from mmner_core.data.type_names import TypeNames

_SLACK = 1e-3
"""By how much rounding may carry a probability beyond 0 or 1."""
_LONGEST_TAG = 100
_WIDEST_MAP, _WIDEST_VECTOR = 256, 65_536
_LARGEST = 1e15


class BadAnswer(Exception):
    """An answer that cannot be used.

    Attributes:
        what: the reason, to follow "the model".
        place: which item of the batch it is about; None where it is about all.
    """

    def __init__(self, what: str, place: int | None = None) -> None:
        super().__init__(what)
        self.what, self.place = what, place


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedAnswer:
    """An answer in the form that everything else relies on.

    Attributes:
        tags: [W] IOB2, orphan ``I-`` as answered.
        by_tag: [W] tag to probability; None where the model does not give it.
        by_word: [W] probability of each tag answered; None where the model gives no probability.
        maps: (start, end) of an entity to its map [rows, columns]; empty without.
        text_vector, image_vector: [D], unit length; None without.
        word_vectors: [W, D]; None without.
    """

    tags: tuple[str, ...]
    by_tag: tuple[dict[str, float], ...] | None = None
    by_word: np.ndarray | None = None
    maps: dict[tuple[int, int], np.ndarray] = field(default_factory=dict)
    text_vector: np.ndarray | None = None
    image_vector: np.ndarray | None = None
    word_vectors: np.ndarray | None = None

    def map_of(self, start: int, end: int) -> np.ndarray | None:
        """Return the map of the entity that shares most words with a span; None where none does."""
        shared = {span: min(end, span[1]) - max(start, span[0]) for span in self.maps}
        best = max(shared, key=shared.__getitem__, default=None)
        return None if best is None or shared[best] <= 0 else self.maps[best]

    def renamed(self, names: TypeNames) -> CheckedAnswer:
        """Return the answer with its types renamed, as ``--map`` says."""
        if not names.names:
            return self
        by_tag: tuple[dict[str, float], ...] | None = None
        if self.by_tag is not None:
            by_tag = tuple({} for _ in self.tags)
            for new, old in zip(by_tag, self.by_tag, strict=True):
                for tag, probability in old.items():
                    renamed = names.rename_tag(tag)
                    new[renamed] = min(1.0, new.get(renamed, 0.0) + probability)
        return replace(self, tags=tuple(map(names.rename_tag, self.tags)), by_tag=by_tag)

    def parts(self, *, image: bool) -> dict[str, int]:
        """Return which parts the answer has besides tags and maps, and the widths of its vectors.

        Args:
            image: whether the item had an image; only then there may be an image vector.
        """
        found = {"probabilities by tag": 1} if self.by_tag is not None else {}
        found |= {"probabilities": 1} if self.by_tag is None and self.by_word is not None else {}
        found |= {"text_vector": len(self.text_vector)} if self.text_vector is not None else {}
        found |= {"image_vector": len(self.image_vector)} if image and self.image_vector is not None else {}
        return found | ({"word_vectors": self.word_vectors.shape[1]} if self.word_vectors is not None else {})


def check_answers(answers: Any, items: Sequence[Item]) -> list[CheckedAnswer]:
    """Check what ``predict`` returned.

    Args:
        answers: whatever it is.
        items: what was asked.

    Raises:
        BadAnswer: if it is not one usable answer per item.
    """
    if isinstance(answers, str | Mapping) or not isinstance(answers, Iterable):
        raise BadAnswer(f"returned {_a(answers)} instead of one answer per item")
    listed = list(islice(answers, len(items) + 1))
    if len(listed) != len(items):
        n = "more" if len(listed) > len(items) else str(len(listed))
        raise BadAnswer(f"returned {n} answers for {len(items)} items")
    checked = []
    for place, (answer, item) in enumerate(zip(listed, items, strict=True)):
        try:
            checked.append(_check(answer, item))
        except BadAnswer as problem:
            raise BadAnswer(problem.what, place) from None
    return checked


def _check(answer: Any, item: Item) -> CheckedAnswer:
    if isinstance(answer, list | tuple):
        answer = Answer(tags=answer)
    if not hasattr(answer, "tags"):
        raise BadAnswer(f"answered {_a(answer)}, which has no tags")
    tags, n = _tags(answer.tags, len(item.words)), len(item.words)
    by_tag, by_word = _probabilities(getattr(answer, "probabilities", None), tags)
    word_vectors = _numbers(getattr(answer, "word_vectors", None), "word_vectors", 2)
    if word_vectors is not None and len(word_vectors) != n:
        raise BadAnswer(f"gave {len(word_vectors)} word_vectors for {n} words")
    image_vector = _vector(getattr(answer, "image_vector", None), "image_vector")
    text_vector = _vector(getattr(answer, "text_vector", None), "text_vector")
    if text_vector is not None and image_vector is not None and len(text_vector) != len(image_vector):
        raise BadAnswer(
            f"gave a text_vector of {len(text_vector)} numbers and an image_vector of {len(image_vector)}; both lie in "
            "one space"
        )
    shown = item.image is not None
    return CheckedAnswer(
        tags=tags,
        by_tag=by_tag,
        by_word=by_word,
        maps=_maps(getattr(answer, "maps", None), tags) if shown else {},
        text_vector=text_vector,
        image_vector=image_vector if shown else None,
        word_vectors=word_vectors,
    )


def is_usable(tag: str) -> bool:
    """Return whether a text is an IOB2 tag that can be written to a file and shown."""
    return is_tag(tag) and len(tag) <= _LONGEST_TAG and tag.isprintable()


def _tags(tags: Any, n_words: int) -> tuple[str, ...]:
    if isinstance(tags, str) or not isinstance(tags, Iterable):
        raise BadAnswer(f"answered {_a(tags)} instead of one tag per word")
    listed = list(islice(tags, n_words + 1))
    if len(listed) != n_words:
        n = f"more than {n_words}" if len(listed) > n_words else str(len(listed))
        raise BadAnswer(f"answered {n} tags for {n_words} words")
    for tag in listed:
        if not isinstance(tag, str) or not is_usable(tag):
            raise BadAnswer(f"answered the tag {_short(tag)}; tags are O, B-TYPE or I-TYPE")
    return tuple(map(str, listed))


def _probabilities(given: Any, tags: Sequence[str]) -> tuple[tuple[dict[str, float], ...] | None, np.ndarray | None]:
    """Return the probabilities by tag, where they are given, and that of each tag answered."""
    if given is None:
        return None, None
    listed = list(islice(given, len(tags) + 1)) if isinstance(given, Iterable) else []
    if len(listed) != len(tags):
        raise BadAnswer(f"gave probabilities of another number than its {len(tags)} words")
    if not any(isinstance(word, Mapping) for word in listed):
        return None, np.array([_probability(word) for word in listed])
    by_tag = []
    for number, word in enumerate(listed, start=1):
        if not isinstance(word, Mapping):
            raise BadAnswer(f"gave probabilities by tag for some words and {_short(word)} for word {number}")
        if wrong := [tag for tag in word if not isinstance(tag, str) or not is_usable(tag)]:
            raise BadAnswer(f"gave a probability to the tag {_short(wrong[0])}; tags are O, B-TYPE or I-TYPE")
        known = {str(tag): _probability(probability) for tag, probability in word.items()}
        if sum(known.values()) > 1 + _SLACK:
            raise BadAnswer(f"gave word {number} probabilities that add up to {sum(known.values()):.3f}, more than 1")
        by_tag.append(known)
    return tuple(by_tag), np.array([word.get(tag, 0.0) for word, tag in zip(by_tag, tags, strict=True)])


def _probability(value: Any) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        raise BadAnswer(f"gave {_short(value)} as a probability, which is no number") from None
    if not -_SLACK <= number <= 1 + _SLACK:  # NaN fails as well
        raise BadAnswer(f"gave {number:g} as a probability; they lie between 0 and 1")
    return min(max(number, 0.0), 1.0)


def _maps(given: Any, tags: Sequence[str]) -> dict[tuple[int, int], np.ndarray]:
    if given is None:
        return {}
    entities = tags_to_entities(tags)
    listed = list(islice(given, len(entities) + 1)) if isinstance(given, Iterable) else []
    if len(listed) != len(entities):
        raise BadAnswer(f"gave maps of another number than its {len(entities)} entities; give one per entity")
    maps = {}
    for entity, heat in zip(entities, listed, strict=True):
        cells = _numbers(heat, "map", 2)
        if cells is None or max(cells.shape) > _WIDEST_MAP:
            raise BadAnswer(f"gave no map of at most {_WIDEST_MAP} rows and columns for one of its entities")
        maps[entity.start, entity.end] = cells
    return maps


def _vector(given: Any, name: str) -> np.ndarray | None:
    """Return a vector scaled to unit length."""
    vector = _numbers(given, name, 1)
    if vector is None:
        return None
    if not vector.any():
        raise BadAnswer(f"gave a {name} of zeros, which has no direction")
    exact = vector.astype(np.float64)  # the squares of very small numbers would be 0
    return (exact / np.linalg.norm(exact)).astype(np.float32)


def _numbers(given: Any, name: str, dimensions: int) -> np.ndarray | None:
    """Return an array of finite numbers; None for None."""
    if given is None:
        return None
    try:
        with np.errstate(over="ignore"):  # what is too large for 32 bits is infinite, and refused as such
            array = np.asarray(given, dtype=np.float32)
    except (TypeError, ValueError, OverflowError):
        raise BadAnswer(f"gave a {name} that is no array of numbers") from None
    if array.ndim != dimensions or 0 in array.shape or array.shape[-1] > _WIDEST_VECTOR:
        shape = "[rows, columns]" if dimensions == 2 else "[numbers]"
        raise BadAnswer(f"gave a {name} of shape {list(array.shape)} instead of {shape}")
    if not (np.abs(array) <= _LARGEST).all():  # NaN fails as well
        raise BadAnswer(f"gave a {name} with a number that is not finite, or beyond {_LARGEST:g}")
    return array


def _a(value: Any) -> str:
    return "nothing" if value is None else f"a value of type {type(value).__name__}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 40 else f"{text[:40]}..."

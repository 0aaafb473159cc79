"""Entities of many sentences in columns: the form in which every statistic reads them.

A tag string is looked into once, through :mod:`mmner_core.labels`; from there on an entity is a row of integers.
Alphabet: S sentences, N entities, T types.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mmner_core.errors import InputError
from mmner_core.labels import DEFAULT_TYPES, Entity, split_tag

TagColumn: TypeAlias = "pa.Array | pa.ChunkedArray | Iterable[Sequence[str]]"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Spans:
    """The entities of S sentences, sorted by place; the entities of one table never overlap.

    Attributes:
        sentence: [N] row number of the sentence.
        start, end: [N] half-open word span within the sentence.
        type: [N] index into ``types``.
        orphan: [N] whether the entity begins with an ``I-`` that nothing precedes. Such an entity exists for
            seqeval's default reading and not for its strict one.
        types: the T type names, shared by tables that are compared.
        n_words: [S] words of each sentence.
    """

    sentence: np.ndarray
    start: np.ndarray
    end: np.ndarray
    type: np.ndarray
    orphan: np.ndarray
    types: tuple[str, ...]
    n_words: np.ndarray

    def __len__(self) -> int:
        return len(self.sentence)

    @property
    def n_sentences(self) -> int:
        """Return S."""
        return len(self.n_words)

    @property
    def first(self) -> np.ndarray:
        """Return [N] the place of each entity's first word, counted over all sentences."""
        return _offsets(self.n_words)[self.sentence] + self.start

    @property
    def last(self) -> np.ndarray:
        """Return [N] the place after each entity's last word, counted over all sentences."""
        return _offsets(self.n_words)[self.sentence] + self.end

    def bounds(self) -> np.ndarray:
        """Return [S+1]: the entities of sentence s are the rows ``bounds[s]`` up to ``bounds[s + 1]``."""
        return np.searchsorted(self.sentence, np.arange(self.n_sentences + 1))

    def take(self, rows: np.ndarray) -> Spans:
        """Keep the entities that ``rows`` (a mask or sorted indices) names; the sentences stay."""
        columns = ("sentence", "start", "end", "type", "orphan")
        return replace(self, **{name: getattr(self, name)[rows] for name in columns})

    def entities(self) -> list[Entity]:
        """Return the N entities as objects."""
        rows = zip(self.start.tolist(), self.end.tolist(), self.type.tolist(), strict=True)
        return [Entity(start, end, self.types[code]) for start, end, code in rows]

    def type_names(self) -> np.ndarray:
        """Return [N] the type names."""
        return np.array(self.types, dtype=object)[self.type] if len(self) else np.array([], dtype=object)

    def texts(self, words: np.ndarray) -> list[str]:
        """Return the N surface forms, words joined by one space.

        Args:
            words: all words of all sentences in one array.
        """
        offsets = _offsets(self.end - self.start)
        # The words of all entities, one after the other: each entity's first word, counted on from there.
        places = np.repeat(self.first - offsets[:-1], np.diff(offsets)) + np.arange(offsets[-1])
        return joined(words[places], offsets).to_pylist()


def read_spans(*columns: TagColumn) -> tuple[Spans, ...]:
    """Read several tag columns over the same sentences; the results share one inventory of types.

    An orphan ``I-`` starts an entity, as :func:`mmner_core.labels.repair` has it, and is marked ``orphan``.

    Raises:
        InputError: if a tag is not IOB2, or the columns disagree on the number of sentences or of their words.
    """
    arrays = [_as_array(column) for column in columns]
    lengths = [_lengths(array) for array in arrays]
    for other in lengths[1:]:
        _check_lengths(lengths[0], other)
    encoded = [array.flatten().dictionary_encode() for array in arrays]
    names = dict.fromkeys(tag for column in encoded for tag in column.dictionary.to_pylist())
    split = {tag: split_tag(tag) for tag in names}
    types = order_types(entity_type for _, entity_type in split.values() if entity_type)
    return tuple(_read(column, split, types, lengths[0]) for column in encoded)


def joined(words: np.ndarray, offsets: np.ndarray) -> pa.Array:
    """Join words by one space: the ones from ``offsets[i]`` up to ``offsets[i + 1]`` become text i."""
    lists = pa.ListArray.from_arrays(offsets.astype(np.int32), pa.array(words, type=pa.string()))
    return pc.binary_join(lists, " ")


def order_types(types: Iterable[str]) -> tuple[str, ...]:
    """Put types into the order of every table: PER, LOC, ORG, MISC, then others by name."""
    found = set(types)
    return (*(t for t in DEFAULT_TYPES if t in found), *sorted(found - set(DEFAULT_TYPES)))


def exact_pairs(gold: Spans, predicted: Spans) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers (gold, predicted) of the pairs with the same span, whatever their types."""
    _, rows, others = np.intersect1d(gold.first, predicted.first, assume_unique=True, return_indices=True)
    same = (gold.end - gold.start)[rows] == (predicted.end - predicted.start)[others]
    return rows[same], others[same]


def _read(
    column: pa.DictionaryArray, split: dict[str, tuple[str, str]], types: tuple[str, ...], n_words: np.ndarray
) -> Spans:
    dictionary = column.dictionary.to_pylist()
    prefixes = np.array([split[tag][0] for tag in dictionary], dtype="U1")
    codes = np.array([types.index(split[tag][1]) if split[tag][1] else -1 for tag in dictionary], dtype=np.int32)
    tag = column.indices.to_numpy(zero_copy_only=False)
    prefix, code = prefixes[tag], codes[tag]
    offsets = _offsets(n_words)
    # -1 stands before the first word of a sentence, as after O: nothing to continue.
    before = np.concatenate(([-1], code[:-1])) if len(code) else code
    before[offsets[:-1][n_words > 0]] = -1
    continues = (prefix == "I") & (before == code)
    begins = (code >= 0) & ~continues
    first = np.flatnonzero(begins)
    # An entity ends where the next word does not continue it.
    stops = np.flatnonzero((code >= 0) & ~np.append(continues[1:], False)) + 1
    sentence = np.searchsorted(offsets, first, side="right") - 1
    return Spans(
        sentence=sentence,
        start=first - offsets[sentence],
        end=stops - offsets[sentence],
        type=code[first],
        orphan=prefix[first] == "I",
        types=types,
        n_words=n_words,
    )


def _as_array(column: TagColumn) -> pa.Array:
    if isinstance(column, pa.ChunkedArray):
        return column.combine_chunks()
    if isinstance(column, pa.Array):
        return column
    return pa.array([list(tags) for tags in column], type=pa.list_(pa.string()))


def _lengths(array: pa.Array) -> np.ndarray:
    return array.value_lengths().to_numpy(zero_copy_only=False).astype(np.int64)


def _offsets(n_words: np.ndarray) -> np.ndarray:
    return np.concatenate(([0], np.cumsum(n_words, dtype=np.int64)))


def _check_lengths(lengths: np.ndarray, others: np.ndarray) -> None:
    if len(lengths) != len(others):
        raise InputError(f"{len(lengths)} sentences have gold tags, {len(others)} have predicted ones.")
    if len(wrong := np.flatnonzero(lengths != others)):
        row = int(wrong[0])
        raise InputError(f"Sentence {row + 1} has {lengths[row]} gold tags and {others[row]} predicted ones.")

"""Writes entities as plain text, for tables and CSV: "PER Ada Lovelace", "nothing", "[PER Ada] met [PER Bob]"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from analysis.run.spans import Spans, joined

NOTHING = "nothing"
SEPARATOR = " | "


def entity_names(spans: Spans, words: np.ndarray) -> list[str]:
    """Write each entity as its type and its surface form."""
    return [f"{t} {text}" for t, text in zip(spans.type_names(), spans.texts(words), strict=True)]


def name_groups(names: Sequence[str], rows: np.ndarray) -> list[str]:
    """Join the entities of each group.

    Args:
        names: [N] from :func:`entity_names`.
        rows: [G, 2] from :class:`analysis.scores.matching.Matches`.
    """
    return [SEPARATOR.join(names[first:stop]) or NOTHING for first, stop in rows.tolist()]


def touching(spans: Spans, sentence: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """Find the entities that share a word with each of G places.

    Args:
        spans: the entities.
        sentence: [G] row number of the sentence.
        start: [G] first word of the place.
        end: [G] the word after its last, greater than ``start``.

    Returns:
        [G, 2] the rows of the first such entity and of the one after the last; equal where there is none.
    """
    offsets = np.concatenate(([0], np.cumsum(spans.n_words)))[sentence]
    # Entities never overlap, so both their beginnings and their ends are sorted.
    first = np.searchsorted(spans.last, offsets + start, side="right")
    return np.stack([first, np.maximum(first, np.searchsorted(spans.first, offsets + end, side="left"))], axis=-1)


def bracketed(words: pa.ListArray | pa.ChunkedArray, spans: Spans) -> pa.Array:
    """Write S sentences with their entities in square brackets, type first.

    Args:
        words: [S] the words of each.
        spans: the entities.
    """
    lists = words.combine_chunks() if isinstance(words, pa.ChunkedArray) else words
    written = lists.flatten().to_numpy(zero_copy_only=False)
    written[spans.first] = ("[" + spans.type_names() + " ") + written[spans.first]
    written[spans.last - 1] += "]"
    offsets = np.concatenate(([0], np.cumsum(spans.n_words)))
    return joined(written, offsets)

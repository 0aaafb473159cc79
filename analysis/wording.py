"""Entities written as plain text, for tables and CSV: "PER Ada Lovelace", "nothing", "[PER Ada] met [PER Bob]"."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from analysis.spans import Spans
from mmner_core.labels import Entity

NOTHING = "nothing"
SEPARATOR = " | "


def entity_names(spans: Spans, words: np.ndarray) -> list[str]:
    """Write each entity as its type and its surface form."""
    return [f"{t} {text}" for t, text in zip(spans.type_names(), spans.texts(words), strict=True)]


def name_groups(names: Sequence[str], rows: np.ndarray) -> list[str]:
    """Join the entities of each group.

    Args:
        names: [N] from :func:`entity_names`.
        rows: [G, 2] from :class:`analysis.matching.Matches`.
    """
    return [SEPARATOR.join(names[first:stop]) or NOTHING for first, stop in rows.tolist()]


def touching(spans: Spans, bounds: np.ndarray, sentence: int, start: int, end: int) -> list[int]:
    """Return the rows of the entities that share a word with ``start`` to ``end`` of a sentence.

    Args:
        spans: the entities.
        bounds: ``spans.bounds()``.
        sentence: row number of the sentence.
        start: first word of the place.
        end: the word after its last.
    """
    rows = range(bounds[sentence], bounds[sentence + 1])
    return [i for i in rows if spans.start[i] < end and start < spans.end[i]]


def bracketed(words: Sequence[str], entities: Sequence[Entity]) -> str:
    """Write a sentence with its entities in square brackets, type first."""
    pieces: list[str] = []
    place = 0
    for entity in entities:
        pieces += words[place : entity.start]
        pieces.append(f"[{entity.type} {' '.join(words[entity.start : entity.end])}]")
        place = entity.end
    return " ".join([*pieces, *words[place:]])

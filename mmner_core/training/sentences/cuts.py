"""Cuts encyclopaedia sentences to a name and a few words, like a photo caption."""

from __future__ import annotations

import random

from mmner_core.labels import tags_to_entities

AROUND = 3
"""Most words that are left on either side of the name."""


def cut_to_a_name(
    words: tuple[str, ...], tags: tuple[str, ...], rng: random.Random
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Cut a sentence to one of its names with up to three words on either side; return words and IOB2 tags.

    No other name is cut through: what would be left of one goes as well. A sentence without names stays as it is.

    Args:
        words: W words.
        tags: W tags.
        rng: draws the name and how much is left around it.
    """
    names = tags_to_entities(tags)
    if not names:
        return words, tags
    name = rng.choice(names)
    start = max(0, name.start - rng.randint(0, AROUND))
    end = min(len(words), name.end + rng.randint(0, AROUND))
    for other in names:
        if other.start < start < other.end:
            start = other.end
        if other.start < end < other.end:
            end = other.start
    return words[start:end], tags[start:end]

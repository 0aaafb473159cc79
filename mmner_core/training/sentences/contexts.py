"""Open contexts of our own: a few words about anyone or anything, so that a name in them may be of any type.

To rely on the photo when the words leave a type open, a model has to recognise such words. The few contexts of one
corpus would be memorised.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from mmner_core.labels import OUTSIDE, tags_to_entities

CONTEXTS_FOLDER = Path(__file__).with_name("contexts")
NAME = "_"
"""Stands for the name in a context."""


@cache
def open_contexts(language: str) -> tuple[tuple[str, ...], ...]:
    """Read ``LANGUAGE.txt``, one context a line, its words apart, the name's place marked; none if there is no file."""
    file = CONTEXTS_FOLDER / f"{language}.txt"
    if not file.is_file():
        return ()
    return tuple(tuple(line.split()) for line in file.read_text(encoding="utf-8").splitlines())


def in_open_context(
    words: tuple[str, ...], tags: tuple[str, ...], language: str | None, rng: random.Random, bare: float = 0.0
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Move a sentence's one name into another context; return words and IOB2 tags.

    A sentence with no name or several, or of a language that we have no contexts for, stays as it is.

    Args:
        words: W words.
        tags: W tags.
        language: of the sentence.
        rng: draws the context.
        bare: how often the context is no word at all: beside a photo, many write nothing but a name.
    """
    names = tags_to_entities(tags)
    contexts = open_contexts(language or "")
    if len(names) != 1 or not contexts:
        return words, tags
    name = names[0]
    context = (NAME,) if bare and rng.random() < bare else rng.choice(contexts)
    place = context.index(NAME)
    around = (OUTSIDE,) * place, (OUTSIDE,) * (len(context) - place - 1)
    return (
        context[:place] + words[name.start : name.end] + context[place + 1 :],
        around[0] + tags[name.start : name.end] + around[1],
    )

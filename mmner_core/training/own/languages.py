"""Detects the language of sentences whose file states none: one per file where nearly all seem to share it."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from mmner_core.data import Example
from mmner_core.text.language import UNKNOWN, detect_language

SAMPLE = 150
"""How many sentences of a file are asked before it is taken for one in a single language."""
SHARED = 0.85
"""A file is in one language if so many of these are: single short sentences are often taken for another."""
WORDS = 5
"""Shorter sentences are asked only where there are no longer ones."""


def with_languages(examples: Sequence[Example]) -> list[Example]:
    """Return the sentences of a file, each with its language, or None where it cannot be detected."""
    silent = [i for i, example in enumerate(examples) if example.language is None]
    if not silent:
        return list(examples)
    long = [i for i in silent if len(examples[i].words) >= WORDS] or silent
    sample = random.Random(0).sample(long, min(SAMPLE, len(long)))
    found = Counter(filter(None, (_language(examples[i]) for i in sample)))
    best, votes = found.most_common(1)[0] if found else (None, 0)
    shared = votes >= SHARED * found.total()
    languages = {i: best if shared else _language(examples[i]) for i in silent}
    return [replace(e, language=languages[i]) if i in languages else e for i, e in enumerate(examples)]


def _language(example: Example) -> str | None:
    """Return the language that a sentence seems to be in, including unsupported ones."""
    guess = detect_language(" ".join(example.words))
    return None if guess.confidence == 0 or guess.code == UNKNOWN else guess.code

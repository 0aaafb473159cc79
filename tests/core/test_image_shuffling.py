"""Shuffled images: no sentence keeps its own, each language is dealt by itself, and a seed says how."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mmner_core.data import Example
from mmner_core.evaluation.image_shuffling import derange, shuffle_images


def sentence(image: str | None, language: str) -> Example:
    """Make a sentence of one word with this image."""
    return Example(words=("w",), tags=("O",), language=language, image=Path(image) if image else None, where="f.txt:1")


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 5), max_size=14), st.integers(0, 2**31))
def test_derangement(keys: list[int], seed: int) -> None:
    """Each place gets a place with another key; a permutation exactly when no key has more than half of the places."""
    chosen = derange(keys, np.random.default_rng(seed))
    assert len(chosen) == len(keys)
    if len(set(keys)) < 2:
        assert chosen == [None] * len(keys)
        return
    assert all(j is not None and keys[j] != keys[i] for i, j in enumerate(chosen))
    possible = 2 * max(Counter(keys).values()) <= len(keys)
    assert (sorted(j for j in chosen if j is not None) == list(range(len(keys)))) == possible


def test_derangement_reaches_every_one() -> None:
    """Of four distinct photos each of the 9 derangements turns up: the choice is not a mere rotation."""
    rng = np.random.default_rng(0)
    assert len({tuple(derange("abcd", rng)) for _ in range(300)}) == 9


def test_a_language_is_dealt_by_itself() -> None:
    """German gets German photos, and the same ones whether English stands beside it or not; another seed, others."""
    german, english = ([sentence(f"{language}{i}.jpg", language) for i in range(9)] for language in ("de", "en"))
    mixed = [e for pair in zip(german, english, strict=True) for e in pair]
    shuffled = shuffle_images(mixed, seed=3)
    images = {e.image for e in german}
    assert {e.image for e in shuffled[::2]} == images
    assert all(now.image != own.image for now, own in zip(shuffled, mixed, strict=True))
    assert shuffle_images(german, seed=3) == shuffled[::2] != shuffle_images(german, seed=4)


def test_who_has_no_photo_gets_none_and_an_only_photo_goes() -> None:
    """There is nothing to deal to the first, and nothing but its own to give to the second."""
    shown = shuffle_images([sentence(None, "en"), sentence("a.jpg", "fr"), sentence("b.jpg", "en")], seed=0)
    assert [e.image for e in shown] == [None, None, None]

"""Swapped names: other words, the same types in the same order, the rest of the sentence as it was."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from mmner_core.data import Example
from mmner_core.labels import entities_to_tags, tags_to_entities
from mmner_core.training.swap import NamePool

POOL = NamePool(
    [
        Example(words=("New", "York", "sleeps"), tags=("B-LOC", "I-LOC", "O"), language="en"),
        Example(words=("Ada", "laughs"), tags=("B-PER", "O"), language="en"),
        Example(words=("Köln", "lacht"), tags=("B-LOC", "O"), language="de"),
    ]
)
NAMES = {("New", "York"), ("Ada",)}
SENTENCE = (("we", "love", "Rome", "and", "Mary", "Ann", "!"), ("O", "O", "B-LOC", "O", "B-PER", "I-PER", "O"))


@given(st.integers(0, 10_000))
def test_names_change_and_all_else_stays(seed: int) -> None:
    """Each name becomes one of the pool's, of whichever type, and keeps its own type; other words keep their order."""
    words, tags = POOL.swap(SENTENCE, "en", random.Random(seed))
    entities = tags_to_entities(tags)
    assert [e.type for e in entities] == ["LOC", "PER"]
    assert {words[e.start : e.end] for e in entities} <= NAMES
    assert tuple(entities_to_tags(entities, len(words))) == tags
    assert [w for w, t in zip(words, tags, strict=True) if t == "O"] == ["we", "love", "and", "!"]


def test_a_name_may_come_from_another_type() -> None:
    """Over many draws a place also gets a person's name: the words no longer give the type away."""
    drawn = {POOL.swap(SENTENCE, "en", random.Random(seed))[0][2] for seed in range(50)}
    assert drawn == {"New", "Ada"}


def test_names_stay_within_their_language() -> None:
    """A language whose names are not known keeps its sentences; another draws from its own names alone."""
    assert POOL.swap(SENTENCE, "fr", random.Random(1)) == SENTENCE
    words, _ = POOL.swap((("nach", "Bonn"), ("O", "B-LOC")), "de", random.Random(1))
    assert words == ("nach", "Köln")

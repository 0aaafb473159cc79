"""Cuts: a sentence becomes a name and a few words beside it, and no other name is cut through."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st

from mmner_core.labels import Entity, tags_to_entities
from mmner_core.training.sentences.cuts import AROUND, cut_to_a_name
from tests.helpers import entities_to_tags


@st.composite
def sentences(draw: st.DrawFn) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Draw words, numbered, and tags of names of one to four words with gaps of up to five between them."""
    names, place = [], 0
    for gap, length in draw(st.lists(st.tuples(st.integers(0, 5), st.integers(1, 4)), max_size=5)):
        names.append(Entity(place + gap, place + gap + length, "PER"))
        place += gap + length
    n_words = place + draw(st.integers(1, 5))
    return tuple(map(str, range(n_words))), tuple(entities_to_tags(names, n_words))


@given(sentences(), st.integers(0, 99))
def test_a_cut_holds_whole_names_and_little_else(sentence: tuple[tuple[str, ...], tuple[str, ...]], seed: int) -> None:
    """Neighbouring words stay together with their tags; of the names that are left none lost a word."""
    words, tags = sentence
    names = tags_to_entities(tags)
    cut, cut_tags = cut_to_a_name(words, tags, random.Random(seed))
    first, last = int(cut[0]), int(cut[-1])
    assert cut == words[first : last + 1] and cut_tags == tags[first : last + 1]
    if not names:
        assert cut == words
        return
    kept = [Entity(e.start + first, e.end + first, e.type) for e in tags_to_entities(cut_tags)]
    assert kept and all(e in names for e in kept)
    assert any(e.start - first <= AROUND and last + 1 - e.end <= AROUND for e in kept)


def test_every_cut_turns_up() -> None:
    """Any name, and from none to three words on either side."""
    words = tuple("a b X c d e f g h Y".split())
    tags = ("O", "O", "B-PER", *"OOOOOO", "B-LOC")
    cuts = {" ".join(cut_to_a_name(words, tags, random.Random(seed))[0]) for seed in range(300)}
    around_x = {f"{left}X{right}" for left in ("", "b ", "a b ") for right in ("", " c", " c d", " c d e")}
    assert cuts == around_x | {"Y", "h Y", "g h Y", "f g h Y"}

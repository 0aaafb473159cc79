"""Open contexts: a name moves into other words, whole and with its tags."""

from __future__ import annotations

import random

import pytest

from mmner_core.labels import tags_to_entities
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.sentences.contexts import NAME, in_open_context, open_contexts


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_context_has_one_place_for_a_name(language: str) -> None:
    """Every language has some, none twice, each with exactly one mark and at least one word beside it."""
    contexts = open_contexts(language)
    assert len(contexts) >= 30 and len(set(contexts)) == len(contexts)
    assert all(context.count(NAME) == 1 and len(context) > 1 for context in contexts)


@pytest.mark.parametrize("seed", range(5))
def test_a_name_moves_whole(seed: int) -> None:
    """Its words and type stay, what stood around it is gone, all else is outside."""
    words, tags = ("in", "New", "York", "today"), ("O", "B-LOC", "I-LOC", "O")
    moved, marked = in_open_context(words, tags, "en", random.Random(seed))
    (name,) = tags_to_entities(marked)
    assert moved[name.start : name.end] == ("New", "York") and name.type == "LOC"
    assert moved[: name.start] + (NAME,) + moved[name.end :] in open_contexts("en")
    assert len(moved) == len(marked)


def test_a_name_may_be_left_alone() -> None:
    """So often as asked for, without a word beside it; never where that is not asked for."""
    rng, told = random.Random(3), (("in", "New", "York", "today"), ("O", "B-LOC", "I-LOC", "O"))
    bare = (("New", "York"), ("B-LOC", "I-LOC"))
    assert in_open_context(*told, "en", rng, bare=1.0) == bare
    assert 60 < sum(in_open_context(*told, "en", rng, bare=0.2) == bare for _ in range(500)) < 140
    assert all(in_open_context(*told, "en", rng) != bare for _ in range(500))


@pytest.mark.parametrize(
    ("tags", "language"), [(("O", "O", "O"), "en"), (("B-PER", "O", "B-LOC"), "en"), (("B-PER", "O", "O"), "it")]
)
def test_what_cannot_be_moved_stays(tags: tuple[str, ...], language: str) -> None:
    """No name, two names, or a language without contexts."""
    words = ("Ann", "saw", "Rome")
    assert in_open_context(words, tags, language, random.Random(0)) == (words, tags)

"""Sentences of our own are filled with names as their templates say."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from mmner_core.data import Example
from mmner_core.labels import may_follow, tags_to_entities
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.sentences.templates import FOLDER, fill_templates

NAMES = [
    *[
        ("PER", "Ada Lovelace"),
        ("PER", "Émile Zola"),
        ("LOC", "Ulm"),
        ("LOC", "Évian"),
        ("LOC", "Bad Homburg vor der Höhe"),
    ],
    *[("ORG", "Acme Corporation"), ("ORG", "ACM")],
]


def corpus() -> list[Example]:
    """Return each name, tagged and often enough, in every language."""
    examples = []
    for language in LANGUAGES:
        for kind, name in NAMES:
            words = tuple(name.split())
            tags = (f"B-{kind}", *[f"I-{kind}"] * (len(words) - 1))
            examples += [Example(words=words, tags=tags, language=language, where="here")] * 2
    return examples


@pytest.fixture(scope="module")
def filled() -> list[Example]:
    """Fill every template at least twice."""
    return fill_templates(corpus(), 600, random.Random(1))


def test_no_slot_is_left_open_and_tags_are_legal(filled: list[Example]) -> None:
    """Every template of the four files can be filled; words hold no braces, brackets of literals or spaces."""
    for example in filled:
        assert example.tags is not None and len(example.words) == len(example.tags)
        assert all(may_follow(a, b) for a, b in zip(("O", *example.tags), example.tags, strict=False)), example
        assert not any("{" in word or "}" in word or word.split() != [word] for word in example.words), example
        assert not any(word.startswith("[") and len(word) > 1 for word in example.words), example


def test_names_have_the_type_of_their_slot(filled: list[Example]) -> None:
    """Names taken from tagged sentences keep their type; e-mail addresses and handles are no names."""
    kinds = {name: kind for kind, name in NAMES}
    found: Counter[str] = Counter()
    for example in filled:
        for entity in tags_to_entities(example.tags or ()):
            name = " ".join(example.words[entity.start : entity.end])
            assert kinds.get(name, entity.type) == entity.type
            assert "@" not in name
            found[entity.type] += 1
    assert min(found["PER"], found["LOC"], found["ORG"]) > 100


def test_a_german_name_gets_its_genitive(filled: list[Example]) -> None:
    """Anna becomes Annas, Lukas stays as it is."""
    genitives = [e.words[0] for e in filled if e.words[1:] == ("Katze", "schläft", ".")]
    assert genitives and all(name.endswith(("s", "x", "z", "ß")) for name in genitives)
    assert not any(name.endswith("ss") for name in genitives)


def test_filling_depends_on_the_seed_alone() -> None:
    """The same seed gives the same sentences, another one others."""
    first, again, other = (fill_templates(corpus(), 50, random.Random(seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_every_language_has_its_file() -> None:
    """One file for each language that the tagger reads."""
    assert {file.stem for file in FOLDER.glob("*.toml")} == set(LANGUAGES)

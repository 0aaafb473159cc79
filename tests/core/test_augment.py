"""What augmentation may and may not do to a training sentence."""

import random

from hypothesis import given
from hypothesis import strategies as st

from mmner_core.labels import tags_to_entities
from mmner_core.training.sentences.augment import (
    AugmentConfig,
    add_social,
    append_emoji,
    augment,
    drop_final_punctuation,
    lower_case,
    swap_quotes,
)
from tests.told import refused

ALWAYS = AugmentConfig(lower_case=1, drop_final=1, emoji=1, social=1, quotes=1)
NEVER = AugmentConfig(lower_case=0, drop_final=0, emoji=0, social=0, quotes=0)
WORDS = ("“", "L’", "ami", "”", "d'", "Anna", "O'Neill", ".")
TAGS = ("O", "O", "O", "O", "O", "B-PER", "I-PER", "O")

word = st.one_of(st.text(min_size=1, max_size=8), st.sampled_from([".", '"', "“", "l'", "l’", "''", "!", "#"]))
sentences = st.lists(st.tuples(word, st.sampled_from(["O", "O", "B-PER", "I-PER", "B-LOC"])), min_size=1, max_size=12)
probability = st.sampled_from([0.0, 0.5, 1.0])
configs = st.builds(
    AugmentConfig,
    lower_case=probability,
    drop_final=probability,
    emoji=probability,
    social=probability,
    quotes=probability,
)


def named(words: tuple[str, ...], tags: tuple[str, ...]) -> list[tuple[str, list[str]]]:
    """List the entities as (type, lower-cased words)."""
    return [(e.type, [w.lower() for w in words[e.start : e.end]]) for e in tags_to_entities(tags)]


@given(sentences, configs, st.integers())
def test_augment_keeps_entities_and_lengths(pairs: list[tuple[str, str]], config: AugmentConfig, seed: int) -> None:
    """Whatever is drawn: as many tags as words, never empty, every entity with its type and words up to case."""
    words, tags = (tuple(column) for column in zip(*pairs, strict=True))
    new_words, new_tags = augment(words, tags, config=config, rng=random.Random(seed))
    assert len(new_words) == len(new_tags) > 0
    assert all(new_words)
    assert named(new_words, new_tags) == named(words, tags)


@given(sentences, st.integers())
def test_augment_is_a_function_of_the_seed(pairs: list[tuple[str, str]], seed: int) -> None:
    """The same seed gives the same sentence."""
    words, tags = (tuple(column) for column in zip(*pairs, strict=True))
    config = AugmentConfig(lower_case=0.5, drop_final=0.5, emoji=0.5, social=0.5, quotes=0.5)
    first = augment(words, tags, config=config, rng=random.Random(seed))
    assert augment(words, tags, config=config, rng=random.Random(seed)) == first


def test_probability_zero_changes_nothing_and_one_changes_everything() -> None:
    """Probabilities mean what they say at both ends."""
    assert augment(WORDS, TAGS, config=NEVER, rng=random.Random(0)) == (WORDS, TAGS)
    words, _ = augment(WORDS, TAGS, config=ALWAYS, rng=random.Random(0))
    text = " ".join(words)
    assert "\" l' ami \" d' anna o'neill" in text and "." not in words and len(words) > len(WORDS) - 1


def test_each_rewriting_does_its_own_thing() -> None:
    """Lower case, full stop, emoji, social words: one behaviour each."""
    assert lower_case(("Der", "Arzt"), ("O", "O")) == (("der", "arzt"), ("O", "O"))
    assert drop_final_punctuation(("Ja", "."), ("O", "O")) == (("Ja",), ("O",))
    assert drop_final_punctuation((".",), ("O",)) == ((".",), ("O",))
    assert drop_final_punctuation(("Yahoo", "!"), ("B-ORG", "I-ORG")) == (("Yahoo", "!"), ("B-ORG", "I-ORG"))
    words, tags = append_emoji(("hi",), ("O",), rng=random.Random(1))
    assert words[0] == "hi" and 2 <= len(words) <= 3 and set(tags) == {"O"}
    drawn = [add_social(("hi",), ("O",), rng=random.Random(seed))[0] for seed in range(40)]
    assert {words[0] == "hi" for words in drawn} == {True, False}
    assert {"#", "@"} < {word for words in drawn for word in words}


def test_quotes_swap_both_ways_and_leave_names_alone() -> None:
    """Straight quotes open and close as a pair; an apostrophe within a name stays."""
    words, _ = swap_quotes(('"', "l'", "Hay", '"'), ("O",) * 4, rng=random.Random(0))
    assert words[1] == "l’" and words[0] + words[3] in {"“”", "„“", "«»", "””"}
    words, _ = swap_quotes(WORDS, TAGS, rng=random.Random(0))
    assert words == ('"', "L'", "ami", '"', "d'", "Anna", "O'Neill", ".")
    assert swap_quotes(("d'", "O'Neill"), ("O", "B-PER"), rng=random.Random(0))[0] == ("d’", "O'Neill")


def test_bad_arguments_are_named() -> None:
    """A probability of 2 and a sentence without words are refused with the reason."""
    with refused("AugmentConfig.emoji", "from 0 to 1", "got 2"):
        AugmentConfig(emoji=2)
    with refused("0 and 0"):
        augment((), (), config=NEVER, rng=random.Random(0))

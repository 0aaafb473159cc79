"""Changed words: what each change does, what it leaves alone, and that gold tags still fit."""

import pytest

from analysis.conditions.stressed_text import STRESSES, TextStress
from mmner_core.errors import InputError

WORDS = ("Zoë", "Müller", "besuchte", "gestern", "Québec", ".")
TAGS = ("B-PER", "I-PER", "O", "O", "B-LOC", "O")
LONG = tuple("Reporters interviewed several members of the government yesterday afternoon".split()) * 20


def changed(name: str, words: tuple[str, ...] = WORDS, tags: tuple[str, ...] = TAGS, seed: int = 0) -> tuple[str, ...]:
    """Change a sentence."""
    return TextStress(name, seed)(words, tags)


def test_letters_change_their_case_and_lose_their_accents() -> None:
    """Small, capital, bare; what has neither case nor accent stays."""
    assert changed("lower_case") == ("zoë", "müller", "besuchte", "gestern", "québec", ".")
    assert changed("capitals") == ("ZOË", "MÜLLER", "BESUCHTE", "GESTERN", "QUÉBEC", ".")
    assert changed("no_accents") == ("Zoe", "Muller", "besuchte", "gestern", "Quebec", ".")


@pytest.mark.parametrize("word", ["日本", "हिन्दी", "́", "", "#1", "🙂"])
def test_marks_that_are_letters_stay(word: str) -> None:
    """Vowels of Devanagari are no accents, and no word becomes empty that was not."""
    assert changed("no_accents", (word,), ("O",)) == (word,)


def test_slips_hit_one_long_word_in_five_and_never_its_first_letter() -> None:
    """Two letters swapped, one left out or doubled; short words, numbers and handles stay."""
    slipped = changed("typos", LONG, ("O",) * len(LONG))
    pairs = [(a, b) for a, b in zip(LONG, slipped, strict=True) if a != b]
    assert 0.1 < len(pairs) / sum(len(word) >= 4 for word in LONG) < 0.3
    assert all(len(a) >= 4 and a[0] == b[0] and abs(len(a) - len(b)) <= 1 for a, b in pairs)
    assert {len(b) - len(a) for a, b in pairs} == {-1, 0, 1}
    assert changed("typos", ("the", "@ada_lovelace", "2024-11-30"), ("O",) * 3) == (
        "the",
        "@ada_lovelace",
        "2024-11-30",
    )


def test_hashtags_are_whole_words_with_a_sign() -> None:
    """About one word in three gets one; stops and short words do not."""
    tagged = changed("hashtags", (*LONG, ".", "of"), ("O",) * (len(LONG) + 2))
    signed = [b for a, b in zip(LONG, tagged, strict=False) if b == f"#{a}"]
    assert 0.2 < len(signed) / len(LONG) < 0.45
    assert tagged[-2:] == (".", "of")


def test_only_the_final_stop_is_left_out() -> None:
    """A word of its own goes, one at the end of a word is taken off it; one inside an entity, or alone, stays."""
    assert changed("no_stop") == WORDS[:-1]
    assert changed("no_stop", ("in", "Paris."), ("O", "B-LOC")) == ("in", "Paris")
    assert changed("no_stop", ("Yahoo", "!"), ("B-ORG", "I-ORG")) == ("Yahoo", "!")
    assert changed("no_stop", ("no", "stop"), ("O", "O")) == ("no", "stop")
    assert changed("no_stop", (".",), ("O",)) == (".",)
    assert changed("no_stop", (), ()) == ()


@pytest.mark.parametrize("name", STRESSES)
def test_the_same_sentence_is_always_changed_alike(name: str) -> None:
    """Whatever stood before it and however often it is asked; words stay where they are."""
    first = changed(name, LONG, ("O",) * len(LONG))
    assert changed(name, LONG, ("O",) * len(LONG)) == first
    assert len(first) == len(LONG) and all(first)


def test_another_seed_slips_elsewhere() -> None:
    """The random ones depend on the seed."""
    tags = ("O",) * len(LONG)
    assert all(changed(name, LONG, tags) != changed(name, LONG, tags, seed=1) for name in ("typos", "hashtags"))


def test_a_change_that_does_not_exist_is_named() -> None:
    """With those that there are."""
    with pytest.raises(InputError, match="'shouting'.*lower_case"):
        TextStress("shouting")

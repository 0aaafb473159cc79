"""Sentences without names: what the files hold and what is cut from tagged text."""

import random
from collections import Counter
from pathlib import Path

import pytest

from mmner_core.data.example import Example
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.sentences.plain import PLAIN_FOLDER, name_free_clauses, plain_examples


def tagged(text: str, language: str = "en") -> Example:
    """Build a sentence from ``word`` and ``word/B-PER`` items, with an image."""
    pairs = [item.partition("/") for item in text.split()]
    return Example(
        words=tuple(word for word, _, _ in pairs),
        tags=tuple(tag or "O" for _, _, tag in pairs),
        language=language,
        image_id="7",
        image=Path("7.jpg"),
        where="a.txt:1",
        convention="caption",
    )


def clauses(*sentences: Example, min_words: int = 3, limit: int = 99) -> list[str]:
    """Return the cut clauses as text."""
    found = name_free_clauses(sentences, min_words=min_words, rng=random.Random(0), limit=limit)
    return [" ".join(example.words) for example in found]


def test_plain_sentences_are_many_varied_and_without_names() -> None:
    """Each language has 220 sentences or more, short and long, none twice; all tags are O."""
    examples = plain_examples()
    per_language = Counter(example.language for example in examples)
    assert set(per_language) == set(LANGUAGES) and min(per_language.values()) >= 220
    assert all(set(example.tags or ()) == {"O"} and example.convention == "wiki" for example in examples)
    assert max(Counter((example.language, example.words) for example in examples).values()) == 1
    for language in per_language:
        lengths = sorted(len(example.words) for example in examples if example.language == language)
        assert lengths[len(lengths) // 5] <= 5 and lengths[-len(lengths) // 5] >= 9


@pytest.mark.parametrize("language", LANGUAGES)
def test_plain_files_keep_every_word(language: str) -> None:
    """Splitting loses no character of a line and says where the line stands."""
    lines = (PLAIN_FOLDER / f"{language}.txt").read_text(encoding="utf-8").splitlines()
    for example in plain_examples():
        if example.language == language:
            line = lines[int(example.where.rpartition(":")[2]) - 1]
            assert "".join(example.words) == "".join(line.split())


def test_clauses_are_bounded_by_punctuation_or_the_edge() -> None:
    """A stretch touching a name is cut back to the nearest punctuation; the full stop stays."""
    sentence = tagged("After the long war , Anna/B-PER Ek/I-PER left , and the house burnt down .")
    assert clauses(sentence) == ["After the long war", "and the house burnt down ."]
    assert clauses(tagged("He met Anna/B-PER in the old garden of roses")) == []
    assert clauses(tagged("when Anna/B-PER came ( the day was cold , very cold ) she/B-PER left")) == [
        "the day was cold , very cold"
    ]


def test_clauses_skip_short_whole_and_doubtful_ones() -> None:
    """Too short, a sentence without any name, an untagged sentence, a capital within: none of these is cut."""
    assert clauses(tagged("so it is , Anna/B-PER"), min_words=4) == []
    assert clauses(tagged("nothing happened here at all .")) == []
    assert clauses(Example(words=("a", "b", "c"), tags=None)) == []
    assert clauses(tagged("he saw the Beatles there , Anna/B-PER said")) == []
    assert clauses(tagged("er sah den Hund dort , Anna/B-PER lachte", "de")) == ["er sah den Hund dort"]


def test_clauses_are_capped_deterministic_and_without_image() -> None:
    """The cap holds, the same seed draws the same clauses, language and convention stay, the image goes."""
    sentences = [tagged(f"on day {i} it rained , Anna/B-PER") for i in range(20)]
    assert clauses(*sentences, limit=5) == clauses(*sentences, limit=5)
    drawn = name_free_clauses(sentences, rng=random.Random(1), limit=5)
    assert len(drawn) == 5
    assert all((e.language, e.convention, e.image, e.image_id) == ("en", "caption", None, None) for e in drawn)

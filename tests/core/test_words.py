"""Raw text to words: offsets that hold for any text, and the conventions of the training corpora."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmner_core.errors import InputError
from mmner_core.words import LANGUAGES, LONGEST_RUN, split_words

languages = st.sampled_from(LANGUAGES)
# Pieces that tokenizers trip over, mixed with arbitrary characters, lone surrogates included.
nasty = st.sampled_from(
    [
        "\u200b",
        "\ufeff",
        "\ue000",
        "\u202e",
        "\u0301",
        "\x00",
        "\r\n",
        "\u2028",
        "\x1c",
        "\xa0",
        "\u3000",
        "\ud800",
    ]
    + [
        "👩‍👩‍👧",
        "👍🏽",
        "❤️",
        "🇫🇷",
        "#️⃣",
        "שלום",
        "مرحبا",
        "中文",
        "İ",
        "ß",
        "𝒜",
        "<img onerror=x>",
        "**b**",
        "…",
        "--",
    ]
    + [
        "l'",
        "qu’",
        "don't",
        "d'",
        "z.B.",
        "U.S.",
        "#Paris",
        "@me",
        "http://a.b/c?d=1#e",
        "9/9/99",
        ":)",
        "):",
        "—",
    ]
)
characters = st.characters() | st.characters(categories=["Cs"])
texts = st.lists(st.text(characters, max_size=6) | nasty | st.sampled_from([" ", "a", "Paris"]), max_size=12).map(
    "".join
)


def words(text: str, language: str = "en") -> list[str]:
    """Return the words alone."""
    return [word.text for word in split_words(text, language)]


@settings(max_examples=150, deadline=None)
@given(texts, languages)
@example("x\ud83dy \udc00", "en")
@example("a\r\n\x00b\x85c", "fr")
def test_words_cover_the_text_exactly(text: str, language: str) -> None:
    """Offsets index the text as given, in order and without overlap; only white space lies outside the words."""
    end = 0
    for word in split_words(text, language):
        assert word.start >= end and word.end > word.start
        assert text[word.start : word.end] == word.text
        assert not any(character.isspace() for character in word.text)
        assert text[end : word.start].strip() == ""
        end = word.end
    assert text[end:].strip() == ""


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "I don't know, it's O'Neill's e-mail.", "I do n't know , it 's O'Neill 's e-mail ."),
        ("en", "He left the U.S. in 1990.", "He left the U.S. in 1990 ."),
        ("en", "Mr. Smith cannot, Bob Jr. dont", "Mr. Smith cannot , Bob Jr. dont"),
        (
            "en",
            'the so-called "all-rounder" (in London): yes!',
            'the so-called " all-rounder " ( in London ) : yes !',
        ),
        ("en", "2017-18 or 985–1025, 4/5, $20,000", "2017 - 18 or 985 – 1025 , 4 / 5 , $ 20,000"),
        ("en", "on 2024-05-31 or 8/8/93", "on 2024-05-31 or 8/8/93"),
        ("en", "AT&T, R&B -- wait...", "AT&T , R&B -- wait ..."),
        ("en", "so happy:) #Paris#Rome @the_user!!", "so happy :) # Paris # Rome @ the_user ! !"),
        ("en", "see https://example.org/a/b?c=d#e, now", "see https://example.org/a/b?c=d#e , now"),
        ("en", "mail me@example.org", "mail me@example.org"),
        ("fr", "L'homme qu'il aime n’est pas d'ici.", "L' homme qu' il aime n’ est pas d' ici ."),
        ("fr", "Aujourd'hui, c'est-à-dire jusqu'à demain", "Aujourd'hui , c'est-à-dire jusqu' à demain"),
        ("fr", "Celui-ci pense-t-il aux États-Unis ?", "Celui -ci pense -t -il aux États-Unis ?"),
        ("fr", "«Bonjour», dit M. Dupont", "« Bonjour » , dit M. Dupont"),
        (
            "de",
            "Der Profi-Vertrag, z.B. Dr. Müllers, ist weg.",
            "Der Profi-Vertrag , z.B. Dr. Müllers , ist weg .",
        ),
        ("de", "„Ja“, sagte er beim 2:1 im Jahr 1990.", "„ Ja “ , sagte er beim 2:1 im Jahr 1990 ."),
        ("de", "Schwulen- und Lesbenbewegung mit 5% mehr", "Schwulen - und Lesbenbewegung mit 5 % mehr"),
        ("es", "¿Quién es? ¡La Sub-21 de EE.UU.!", "¿ Quién es ? ¡ La Sub-21 de EE.UU. !"),
        ("es", "el 16º, a 3.5 km/h", "el 16º , a 3.5 km/h"),
    ],
)
def test_words_follow_the_corpora(language: str, text: str, expected: str) -> None:
    """Contractions, abbreviations, hyphens, elisions, hashtags and URLs are split as in the training data."""
    assert words(text, language) == expected.split()


def test_an_emoji_is_one_word() -> None:
    """Joined people, skin tones, flags, keycaps and hearts stay whole; neighbours are parted."""
    assert words("hi👩‍👩‍👧👍🏽 ❤️🇫🇷🇩🇪 1️⃣🔥🔥") == ["hi", "👩‍👩‍👧", "👍🏽", "❤️", "🇫🇷", "🇩🇪", "1️⃣", "🔥", "🔥"]


def test_a_lone_surrogate_keeps_its_place() -> None:
    """A broken half of a character stays in its word and shifts nothing."""
    assert [tuple(word) for word in split_words("a \ud83d b", "en")] == [
        ("a", 0, 1),
        ("\ud83d", 2, 3),
        ("b", 4, 5),
    ]


@pytest.mark.parametrize("text", ["", " ", "\r\n\t\u3000 \u2028"])
def test_nothing_to_split(text: str) -> None:
    """Empty text and white space have no words."""
    assert split_words(text, "de") == []


@pytest.mark.parametrize("unit", ["a", "!", "👍", "a,b", "中", "'", "."])
def test_a_long_run_is_cut_and_lost_nowhere(unit: str) -> None:
    """20,000 characters without a space are split in a moment, every character kept."""
    text = unit * (20_000 // len(unit))
    began = time.perf_counter()
    split = words(text)
    assert time.perf_counter() - began < 5  # spaCy's plain tokenizer takes half a minute
    assert "".join(split) == text and max(map(len, split)) <= LONGEST_RUN


def test_time_grows_linearly_with_text() -> None:
    """Eight times the text takes less than 32 times the time (quadratic would be 64)."""
    seconds = []
    words("warm up", "de")
    for n in (500, 4_000):
        text = "Der Arzt, z.B. in Köln-Deutz, kommt(!) um 8 Uhr. " * (n // 50)
        began = time.perf_counter()
        split_words(text, "de")
        seconds.append(time.perf_counter() - began)
    assert seconds[1] < 32 * seconds[0]


@pytest.mark.parametrize("language", ["it", "", "EN", "english"])
def test_another_language_is_refused(language: str) -> None:
    """The message names the four languages there are."""
    with pytest.raises(InputError, match="choose one of en, fr, de, es"):
        split_words("ciao", language)

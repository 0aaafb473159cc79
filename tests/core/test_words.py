"""Raw text to words: offsets that hold for any text, and the conventions of the training corpora."""

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mmner_core.text.invisible import is_blank
from mmner_core.text.language_names import LANGUAGES
from mmner_core.text.words import LONGEST_RUN, split_words
from tests.told import refused

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
    """Offsets index the text as given, in order and without overlap; all that can be seen lies in a word."""
    end = 0
    for word in split_words(text, language):
        assert word.start >= end and word.end > word.start
        assert text[word.start : word.end] == word.text
        assert not any(character.isspace() for character in word.text)
        assert is_blank(text[end : word.start])
        end = word.end
    assert is_blank(text[end:])


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


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Rome;Paris;Lyon", "Rome ; Paris ; Lyon"),
        ("Messi(ARG)[FRA]{ESP}won", "Messi ( ARG ) [ FRA ] { ESP } won"),
        ("(Leeds)met Bob, (Ulm),Graz", "( Leeds ) met Bob , ( Ulm ) , Graz"),
        ("Leeds?Yes!No?!Oh!!!In", "Leeds ? Yes ! No ? ! Oh ! ! ! In"),
        ("Lucía!¿Cómo Lucía.¿Cómo Lucía,¡Hola", "Lucía ! ¿ Cómo Lucía . ¿ Cómo Lucía , ¡ Hola"),
        ("Rome→Paris➜Lyon Rome->Ulm=>Graz", "Rome → Paris ➜ Lyon Rome - > Ulm = > Graz"),
        ("Rome•Paris·Lyon|Ulm", "Rome • Paris · Lyon | Ulm"),
        ("«Rome»Paris „Ulm“Graz “Leeds”York", "« Rome » Paris „ Ulm “ Graz “ Leeds ” York"),
        ("Rome,Paris Köln,50667 (ARG):Messi", "Rome , Paris Köln , 50667 ( ARG ) : Messi"),
        ("2.Oktober 12.März 3.Mai 1.FC", "2 . Oktober 12 . März 3 . Mai 1.FC"),
        ("Oslo.Then Berlin.und in 2010.Then", "Oslo . Then Berlin . und in 2010 . Then"),
        ("{Emma} *Anna* _Otto_ ~Lena~ @Ulm@ #Graz#", "{ Emma } * Anna * _ Otto _ ~ Lena ~ @ Ulm @ # Graz #"),
        ("Ulm@Graz Rome<Paris>Ulm", "Ulm @ Graz Rome < Paris > Ulm"),
    ],
)
def test_a_mark_parts_words_though_no_space_follows(language: str, text: str, expected: str) -> None:
    """As the corpora part them, whatever language the text is taken for."""
    assert words(text, language) == expected.split()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "word",
    ["anna.keller@example.org", "http://a.b/c;d?e=f,g", "www.foo.org/Bar;Baz", "bbc.co.uk", "t.co/Abc", "10.000,50"]
    + ["12:30", "2:1", "8/8/93", "2024-05-31", "U.S.", "U.N.", "AT&T", "AT&amp;T", "R&B", "P!nk", "Ke$ha", "C++", "C#"]
    + [
        "node.js",
        "report_final.PDF",
        "Foto.JPG",
        "v2.0.1",
        "Gal·la",
        "O'Brien",
        ":)",
        ";)",
        ":-(",
        "<3",
        "o.O",
        "1.FC",
    ],
)
def test_what_is_one_word_stays_whole(language: str, word: str) -> None:
    """Addresses, numbers, times, abbreviations, brands, files, emoticons."""
    assert words(f"in {word} in", language) == ["in", word, "in"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("apostrophe", ["'", "’", "ʼ", "´"])
def test_an_elision_before_a_capital_is_parted_in_every_language(language: str, apostrophe: str) -> None:
    """A French caption with a foreign name is easily taken for another language; the name must not stay glued."""
    text = "Photo d'Emma, l'Italie, qu'Anna".replace("'", apostrophe)
    assert words(text, language) == "Photo d' Emma , l' Italie , qu' Anna".replace("'", apostrophe).split()


@pytest.mark.parametrize(
    "invisible", ["\u200b", "\u200c", "\u200d", "\u2060", "\ufeff", "\u00ad", "\u200e", "\u202e", "\ufe0f", "\x00"]
)
def test_an_invisible_character_hides_no_mark(invisible: str) -> None:
    """The full stop behind it is a word; within a word it is part of it, at an edge of none."""
    text = f"{invisible}Emma saw Prague{invisible}. Mün{invisible}chen{invisible}"
    split = split_words(text, "en")
    assert [word.text for word in split] == ["Emma", "saw", "Prague", ".", f"Mün{invisible}chen"]
    assert all(text[word.start : word.end] == word.text for word in split)


def test_a_zero_width_space_between_words_parts_them() -> None:
    """Where a capital follows; a soft hyphen never does."""
    assert words("Rome\u200bParis\ufeffLyon") == ["Rome", "Paris", "Lyon"]
    assert words("Mc\u00adDonald") == ["Mc\u00adDonald"]


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


@pytest.mark.slow
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
    with refused("en", "fr", "de", "es"):
        split_words("ciao", language)

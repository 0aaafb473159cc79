"""Language detection: the four languages, their neighbours, and text that is in no language at all."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mmner_core.text import language
from mmner_core.text.language import detect_language, language_name, resolve_language
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.sentences.plain import PLAIN_FOLDER
from tests.told import refused


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("The dog is running on the beach", "en"),
        ("Le chien court sur la plage", "fr"),
        ("Der Hund läuft am Strand entlang", "de"),
        ("El perro corre por la playa", "es"),
        ("what a day 😂😂", "en"),
        ("enfin le week-end !!!", "fr"),
        ("endlich Wochenende!!!", "de"),
        ("¡Qué día!", "es"),
        ("see https://example.org/es/el-perro-de-la-playa @losamigos now please", "en"),
    ],
)
def test_the_four_languages_are_told_apart(text: str, code: str) -> None:
    """Short sentences as visitors type them."""
    guess = detect_language(text)
    assert (guess.code, guess.supported, guess.read_as) == (code, True, code)
    assert 0.25 < guess.confidence <= 1


@pytest.mark.parametrize(
    ("text", "code"), [("the north", "en"), ("einer von", "de"), ("cuando eran", "es"), ("dans leur", "fr")]
)
def test_a_telling_word_spares_the_full_models(text: str, code: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two words, one of them a stop word of one language only: told without the models that take a second to load."""
    built = []
    original = language._detector
    monkeypatch.setattr(language, "_detector", lambda codes, **o: built.append(o) or original(codes, **o))
    assert detect_language(text).code == code
    assert built == [{"trigrams_only": True}]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Karl Müller lives in Düsseldorf", "en"),
        ("We love São Paulo and Las Palmas.", "en"),
        ("With Penélope Cruz in Sevilla", "en"),
        ("GERMANY BEAT POLAND IN FINAL", "en"),
        ("Photo d'Emma Watson", "fr"),
        ("Portrait d’Oscar Wilde", "fr"),
        ("Concert de Shakira à Lyon", "fr"),
        ("Bonjour München !", "fr"),
        ("José Ortega wohnt in Sevilla.", "de"),
        ("mit Emma Watson in Los Angeles", "de"),
        ("Konzert von Adele in Cádiz", "de"),
        ("Visita a Buckingham", "es"),
        ("Foto de Karl Müller en Köln", "es"),
        ("¡Feliz cumpleaños, Jürgen!", "es"),
    ],
)
def test_foreign_names_do_not_decide(text: str, code: str) -> None:
    """A caption is in the language of its other words, not of the names in it."""
    assert detect_language(text).code == code


@pytest.mark.parametrize("code", LANGUAGES)
def test_nearly_all_plain_sentences_are_recognised(code: str) -> None:
    """At least 96 % of the plain sentences of two words or more, and no neighbour is named instead of 99 %."""
    lines = (PLAIN_FOLDER / f"{code}.txt").read_text(encoding="utf-8").splitlines()
    guesses = [detect_language(line) for line in lines if len(line.split()) > 1]
    assert sum(guess.code == code for guess in guesses) >= 0.96 * len(guesses)
    assert sum(guess.supported for guess in guesses) >= 0.99 * len(guesses)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "code", "read_as"),
    [
        ("Dove hai messo le chiavi di casa?", "it", None),
        ("O governo anunciou novas medidas ontem à noite", "pt", None),
        ("De regering kondigde nieuwe maatregelen aan", "nl", None),
        ("Собака бежит по пляжу", "ru", "en"),
        ("今日はいい天気ですね", "ja", "en"),
        ("صباح الخير يا أصدقاء", "ar", "en"),
    ],
)
def test_an_unsupported_language_is_named_and_read_as_a_supported_one(
    text: str, code: str, read_as: str | None
) -> None:
    """The note says what it looks like and as what it was read; another script is read as English."""
    guess = detect_language(text)
    assert (guess.code, guess.supported) == (code, False)
    assert guess.read_as in LANGUAGES and read_as in (None, guess.read_as)
    resolved, detected, notes = resolve_language(text, "auto")
    assert (resolved, detected) == (guess.read_as, True)
    name, home = language_name(code), language_name(guess.read_as)
    assert notes == [f"The language looks like {name}, which this model was not trained on; read as {home}."]


@pytest.mark.parametrize("text", ["", "   ", "😂😂", "1990 / 91", "https://example.org", "\ud83d", "\x00\u200b"])
def test_text_without_letters_is_read_as_english(text: str) -> None:
    """Nothing to go by: English with confidence 0, and a note says so."""
    guess = detect_language(text)
    assert (guess.code, guess.confidence, guess.supported) == ("en", 0.0, True)
    assert resolve_language(text, None) == (
        "en",
        True,
        ["There is nothing to tell the language by; read as English."],
    )


def test_an_unknown_script_is_said_to_be_unknown() -> None:
    """Thai is in none of the models: "und", read as English, with a note."""
    assert detect_language("สวัสดีตอนเช้า").code == "und"
    assert resolve_language("สวัสดีตอนเช้า", None)[2] == ["The language was not recognised; read as English."]


def test_a_given_language_is_taken_as_given() -> None:
    """No detection and no note when the caller says the language, whatever the text looks like."""
    assert resolve_language("Der Hund", "es") == ("es", False, [])


@pytest.mark.parametrize("lang", ["it", "EN", "", "english", "en-US"])
def test_a_bad_language_is_refused(lang: str) -> None:
    """The message lists the four codes."""
    with refused("en", "fr", "de", "es"):
        resolve_language("hello", lang)


@settings(max_examples=50, deadline=None)
@given(st.text(st.characters() | st.characters(categories=["Cs"]), max_size=20))
def test_any_text_gets_a_language(text: str) -> None:
    """Whatever the characters: one of the four to read it as, and a confidence from 0 to 1."""
    guess = detect_language(text)
    assert guess.read_as in LANGUAGES
    assert 0 <= guess.confidence <= 1 + 1e-9
    assert guess.supported == (guess.code in LANGUAGES)

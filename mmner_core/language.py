"""Which of the four languages a text is in, found offline with lingua, and what to do when it is another one."""

from __future__ import annotations

import functools
import importlib.util
import re
import runpy
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from mmner_core.errors import InputError
from mmner_core.words import LANGUAGES

if TYPE_CHECKING:
    from lingua import LanguageDetector

DEFAULT_LANGUAGE = "en"
UNKNOWN = "und"  # ISO 639-2 for "undetermined"

# Neighbours of the four that visitors may type, and languages told by their script, whose models stay unloaded until
# that script turns up.
NEIGHBOURS = ("it", "pt", "nl", "ca", "sv", "pl", "tr")
OTHER_SCRIPTS = ("ru", "uk", "ar", "he", "el", "zh", "ja", "ko")

# Measured on WikiNEuRal snippets and our own plain sentences: lingua's trigram models alone (20 MB, loaded in 0.1 s)
# get 95 % of sentences and 61 % of snippets of 2-4 words right, its full models 98 % and 84 %, but these load in a
# second of both cores and take 150 MB. So the trigrams are believed when they are this sure of a supported language,
# as they are of 94 % of whole sentences.
SURE = 0.9
# Next speak the words that are stop words in one of the four only ("the", "und", "los"): where they agree, and no
# other language is likelier than this to the trigrams, they are right about 98 % of snippets of 2-4 words, the full
# models about 89 % of the same; together with the trigrams they spare two snippets in three the full models.
FOREIGN = 0.5
# Otherwise the full models are asked about the four and what else is plausible, each of which costs another 0.2 s.
PLAUSIBLE = 0.05
MOST_RIVALS = 2
# An unsupported language wins only when it is this many times as likely as the best supported one: Spanish and
# Catalan, German and Dutch share most of their short words, and a wrong note is worse than none.
UNSUPPORTED_MUST_BE_LIKELIER = 3.0

LONGEST_SAMPLE = 2_000
_WORD = re.compile(r"[^\W\d_]+")
_NO_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|@\w+|[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """What language a text seems to be in.

    Attributes:
        code: ISO 639-1 code; "en" where the text holds no letters, "und" where no known language fits.
        confidence: probability from 0 to 1 among the languages considered; 0 where nothing spoke for any of them.
        supported: whether ``code`` is one of the four.
        read_as: the most likely of the four, which equals ``code`` where that is supported.
    """

    code: str
    confidence: float
    supported: bool
    read_as: str


def detect_language(text: str) -> LanguageGuess:
    """Guess the language from the first 2,000 characters, web addresses and user names left out.

    An unsupported language is named only when it is three times as likely as the best of the four. Text without
    letters is "en" with confidence 0.
    """
    sample = _NO_LANGUAGE.sub(" ", text[:LONGEST_SAMPLE])
    if not any(character.isalpha() for character in sample):
        return LanguageGuess(DEFAULT_LANGUAGE, 0.0, True, DEFAULT_LANGUAGE)
    likely = _confidences(sample)
    best = max(likely, key=lambda code: likely[code])
    home = max(LANGUAGES, key=lambda code: likely.get(code, 0.0))
    if likely[best] == 0:
        return LanguageGuess(UNKNOWN, 0.0, False, DEFAULT_LANGUAGE)
    if likely[best] > UNSUPPORTED_MUST_BE_LIKELIER * likely.get(home, 0.0):
        return LanguageGuess(best, likely[best], best in LANGUAGES, home)
    return LanguageGuess(home, likely[home], True, home)


def resolve_language(text: str, lang: str | None) -> tuple[str, bool, list[str]]:
    """Settle the language to split words by: the given one, or, for None and "auto", the detected one.

    Returns:
        The code, whether it was detected, and at most one note, a sentence for the user.

    Raises:
        InputError: if ``lang`` is not one of the four, "auto" or None.
    """
    if lang is not None and lang != "auto":
        if lang not in LANGUAGES:
            raise InputError(f"Language {lang!r} is not supported; choose one of {', '.join(LANGUAGES)}, or auto.")
        return lang, False, []
    guess = detect_language(text)
    read_as = language_name(guess.read_as)
    notes: list[str] = []
    if guess.code == UNKNOWN:
        notes.append(f"The language was not recognised; read as {read_as}.")
    elif not guess.supported:
        seems = language_name(guess.code)
        notes.append(f"The language looks like {seems}, which this model was not trained on; read as {read_as}.")
    elif guess.confidence == 0:
        notes.append(f"There is nothing to tell the language by; read as {read_as}.")
    return guess.read_as, True, notes


def language_name(code: str) -> str:
    """Return the English name of a language: "Italian" for "it"."""
    from lingua import IsoCode639_1, Language

    return Language.from_iso_code_639_1(getattr(IsoCode639_1, code.upper())).name.title()


def _confidences(sample: str) -> dict[str, float]:
    """Return the probability of each language considered, by the cheapest means that is sure."""
    likely = _run(_detector((*LANGUAGES, *NEIGHBOURS, *OTHER_SCRIPTS), trigrams_only=True), sample)
    best = max(likely, key=lambda code: likely[code])
    if best in LANGUAGES and likely[best] >= SURE:
        return likely
    foreign = sorted((*NEIGHBOURS, *OTHER_SCRIPTS), key=lambda code: -likely[code])
    told = _told_by_stop_words(sample)
    if told is not None and likely[foreign[0]] < FOREIGN:
        return {told: SURE}
    rivals = tuple(code for code in foreign[:MOST_RIVALS] if likely[code] >= PLAUSIBLE)
    return _run(_detector((*LANGUAGES, *rivals), trigrams_only=False), sample)


def _told_by_stop_words(sample: str) -> str | None:
    """Return the one language that the sample's telling stop words belong to, None where there are none or several."""
    telling = _telling_words()
    found = {telling[word] for word in _WORD.findall(sample.lower()) if word in telling}
    return found.pop() if len(found) == 1 else None


@functools.cache
def _telling_words() -> dict[str, str]:
    """Map each word that is a stop word in one of the four languages only to that language.

    spaCy's lists are read without its language classes, of which the French one alone takes two seconds to load.
    """
    spacy = importlib.util.find_spec("spacy")
    assert spacy is not None and spacy.origin is not None  # noqa: S101, PT018 (a requirement)
    lists: dict[str, set[str]] = {}
    for code in LANGUAGES:
        file = Path(spacy.origin).with_name("lang") / code / "stop_words.py"
        lists[code] = set(runpy.run_path(str(file))["STOP_WORDS"])
    owners = Counter(word for words in lists.values() for word in words)
    return {word: code for code, words in lists.items() for word in words if owners[word] == 1}


def _run(detector: LanguageDetector, sample: str) -> dict[str, float]:
    values = detector.compute_language_confidence_values(sample)
    return {value.language.iso_code_639_1.name.lower(): value.value for value in values}


@functools.lru_cache(maxsize=64)
def _detector(codes: tuple[str, ...], *, trigrams_only: bool) -> LanguageDetector:
    """Build a detector; lingua shares the models, which it loads at first use, between detectors."""
    from lingua import IsoCode639_1, LanguageDetectorBuilder

    isos = [getattr(IsoCode639_1, code.upper()) for code in codes]
    builder = LanguageDetectorBuilder.from_iso_codes_639_1(*isos)
    return (builder.with_low_accuracy_mode() if trigrams_only else builder).build()

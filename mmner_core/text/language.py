"""Detects which of the four languages a text is in, offline with lingua, and what to do with others."""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from mmner_core.errors import InputError
from mmner_core.text.function_words import FUNCTION_WORDS
from mmner_core.text.language_names import LANGUAGES

if TYPE_CHECKING:
    from lingua import LanguageDetector

DEFAULT_LANGUAGE = "en"
UNKNOWN = "und"  # ISO 639-2 for "undetermined"

# Neighbours of the four that visitors may type, and languages told by their script, whose models stay unloaded until
# that script turns up.
NEIGHBOURS = ("it", "pt", "nl", "ca", "sv", "pl", "tr")
OTHER_SCRIPTS = ("ru", "uk", "ar", "he", "el", "zh", "ja", "ko")

# Three witnesses. Words that hold sentences together (:mod:`mmner_core.text.function_words`) and marks of one
# language's punctuation speak first. lingua's trigram models (20 MB, loaded in 0.1 s) read what is left when names are
# taken out: names travel, and a sentence about one is not in its language. Where both together are not this sure,
# lingua's full models are asked as well, which load in a second of both cores and take 150 MB.
SURE = 0.9
# How much likelier a language is for each of its function words in the text, and for what only it writes.
WORD = math.log(20)
MARK = math.log(50)
# Words that may well belong to a name speak less: "Los" of "Los Angeles", "de" between two capitals.
DOUBTFUL, LIKELY = 0.3, 0.7
# A headline in title case: more than so many words, and more than this share of them with a capital.
MANY_CAPITALS, TITLED = 3, 0.7
# The fewer words there are, the less may the trigrams rule out.
LEAST = {1: 0.1, 3: 0.03, 7: 0.002}
LEAST_OF_MANY = 1e-4
# Otherwise the full models are asked about the four and what else is plausible, each of which costs another 0.2 s.
PLAUSIBLE = 0.05
MOST_RIVALS = 2
# An unsupported language wins only when it is this many times as likely as the best supported one: Spanish and
# Catalan, German and Dutch share most of their short words, and a wrong note is worse than none.
UNSUPPORTED_MUST_BE_LIKELIER = 3.0

LONGEST_SAMPLE = 2_000
_WORD = re.compile(r"(?:(?i:qu|jusqu|lorsqu|puisqu|[cdjlmnst])['’](?=[^\W\d_]))|[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PARTICLES = frozenset("de la le les los las del du des d' l' da do dos das di van von der den of the y et und".split())
_OF_PLACES = frozenset("la le les los las el san santa new o a den".split())
_KNOWN = frozenset().union(*FUNCTION_WORDS.values())
_SENTENCE_END = re.compile(r"[.!?:;…\n|•¿¡«„\"(]")
_MARKS = (
    (re.compile("[¿¡]"), {"es": 1.0}),
    (re.compile("„"), {"de": 1.0, "pl": 1.0}),
    (re.compile("«\\s|\\s»"), {"fr": 1.0}),
    (re.compile("[^\\W\\d_]['’]s\\b"), {"en": 0.5}),
    (re.compile("ß"), {"de": 1.0}),
)
_NO_LANGUAGE = re.compile(r"https?://\S+|www\.\S+|@\w+|[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class LanguageGuess:
    """The detected language of a text.

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
    """Return the probability of each candidate language, by the cheapest method that is sure."""
    words = _words(sample)
    spoken = _speak(sample, words)
    sure = [word for word, weight in words if weight == 1]
    said = " ".join(sure) or sample
    least = next((least for most, least in LEAST.items() if len(sure) <= most), LEAST_OF_MANY)
    codes = (*LANGUAGES, *NEIGHBOURS, *OTHER_SCRIPTS)
    likely = _weigh(_run(_detector(codes, trigrams_only=True), said), spoken, least)
    if not any(likely.values()) or max(likely.values()) >= SURE:
        return likely
    foreign = sorted((*NEIGHBOURS, *OTHER_SCRIPTS), key=lambda code: -likely[code])
    rivals = tuple(code for code in foreign[:MOST_RIVALS] if likely[code] >= PLAUSIBLE)
    return _weigh(_run(_detector((*LANGUAGES, *rivals), trigrams_only=False), said), spoken, least)


def _words(sample: str) -> list[tuple[str, float]]:
    """Return the words of a text in lower case, each with its weight: 0 for what looks like a name.

    Capitals say nothing where all is written in them, nor does one at the start of a sentence.
    """
    found = list(_WORD.finditer(sample))
    shouted = all(word.group().isupper() for word in found)
    capital = [not shouted and word.group()[0].isupper() for word in found] + [False]
    titled = len(found) > MANY_CAPITALS and sum(capital) > TITLED * len(found)
    words: list[tuple[str, float]] = []
    for i, word in enumerate(found):
        begins = i == 0 or _SENTENCE_END.search(sample, found[i - 1].end(), word.start()) is not None
        text = word.group().lower().replace("’", "'")
        weight = 1.0
        if capital[i] and not begins:
            weight = LIKELY if titled and text in _KNOWN and text not in _OF_PLACES else 0.0
        elif capital[i] and capital[i + 1] and (text in _OF_PLACES or text not in _KNOWN):
            weight = DOUBTFUL
        elif 0 < i and capital[i - 1] and capital[i + 1] and text in _PARTICLES:
            weight = LIKELY if words[i - 1][1] == 1 else DOUBTFUL
        words.append((text, weight))
    return words


def _speak(sample: str, words: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Return for each language the log-likelihood ratio of the function words and marks."""
    spoken: dict[str, float] = defaultdict(float)
    for word, weight in words:
        for code, known in FUNCTION_WORDS.items():
            spoken[code] += weight * WORD * (word in known)
    for mark, codes in _MARKS:
        if mark.search(sample):
            for code, weight in codes.items():
                spoken[code] += weight * MARK
    return spoken


def _weigh(likely: Mapping[str, float], spoken: Mapping[str, float], least: float) -> dict[str, float]:
    """Combine lingua's scores and those of the words to probabilities; all 0 where neither has any."""
    if not any(likely.values()) and not any(spoken.values()):
        return dict(likely)
    scores = {code: math.log(max(value, least)) + spoken.get(code, 0.0) for code, value in likely.items()}
    most = max(scores.values())
    shares = {code: math.exp(score - most) for code, score in scores.items()}
    total = sum(shares.values())
    return {code: share / total for code, share in shares.items()}


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

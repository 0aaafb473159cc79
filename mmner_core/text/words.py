"""Splits raw text into words with character offsets, as the training corpora are split.

spaCy's tokenizer does the work on its stock rules; where the corpora do otherwise, the rule here says so. Offsets
index the text as given: ``text[word.start:word.end] == word.text``, words come in order, do not overlap, hold no
white space, and every other character that can be seen belongs to exactly one of them. Invisible characters
(:mod:`mmner_core.text.invisible`) within a word are part of it, those at its edges are not.
"""

from __future__ import annotations

import functools
import re
import sys
import threading
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError
from mmner_core.results import Word
from mmner_core.text.glued import ELIDED, FILE_NAME
from mmner_core.text.invisible import EMOJI
from mmner_core.text.language_names import LANGUAGES
from mmner_core.text.readable import readable_text

if TYPE_CHECKING:
    from spacy.language import Language

# spaCy's affix loop is quadratic in the length of a run without spaces (20,000 exclamation marks took 27 seconds), so
# a longer run is read in pieces, cut before a character that is not part of a word if there is one.
LONGEST_RUN = 128
_LONG_RUN = re.compile(rf"\S{{{LONGEST_RUN + 1},}}")
_PIECE = re.compile(rf"\S{{1,{LONGEST_RUN}}}(?<!\u200D)(?![\w\u0300-\u036F\u200D\uFE0F])|\S{{1,{LONGEST_RUN}}}")
_SPACE_FREE = re.compile(r"\S+")

# Twitter-2017, MMNERD and the probe set part "#" and "@" from the word: the name in "#Paris" is "Paris". A run of one
# sign ("--", "====") is one word in CoNLL and MMNERD.
_PREFIXES = (EMOJI, r"(?:--+|==+|__+|\*\*+|~~+)", "``", r"[@~](?=\w)", r"-(?=[^\W\d])", r"/(?=\w)")
_SUFFIXES = (EMOJI, r"(?:--+|==+|__+|\*\*+|~~+)", r"(?<=\w)[-/~@]")
# Both dashes part numbers in WikiNEuRal ("2017 - 18"), a hyphen or an en dash within a word does not.
_INFIXES = (EMOJI, r"#(?=\w)", r"(?<=\w)/(?=\w)", r"(?<=\w)(?:--+|—)(?=\w)", r"(?<=\d)–(?=\d)")
_WHOLE = re.compile(
    rf"(?:\d{{1,4}}/\d{{1,2}}/\d{{1,4}}|\d{{4}}-\d\d-\d\d|k?m/[hs]|c['’]est-à-dire|https?://\S*[\w/]|[a-z](?:\+\+|#)|{FILE_NAME})$",
    re.IGNORECASE,
)
_ABBREVIATIONS = ("Jr.", "Sr.", "St.", "Dr.", "Mr.", "Mrs.", "Ms.", "No.", "vs.")
# WikiNEuRal's French: l' homme, jusqu' ici, but aujourd'hui; celui -ci, pense -t -il. spaCy's own French rules say the
# same, but take two seconds to load.
_FRENCH_ELISION = r"(?i:(?<=\b{0}['’]))(?=\w)"
_FRENCH_ELIDED = ("[cdjlmnst]", "qu", "jusqu", "lorsqu", "puisqu", "quoiqu")
_FRENCH_INVERSION = r"(?<=\w)-(?:ce|ci|elles?|ils?|je|l[àae]|les|leur|lui|moi|nous|on|t|toi|tu|vous|y|en)"
_FRENCH_ABBREVIATIONS = (
    *("av.", "janv.", "févr.", "juill.", "sept.", "oct.", "nov.", "déc.", "M.", "MM.", "Mme.", "Mlle.", "Ste."),
    *("cf.", "etc.", "pp.", "Vol.", "rendez-vous", "Rendez-vous"),
)


def join_words(words: Sequence[str]) -> tuple[str, tuple[Word, ...]]:
    """Put words together with one space between them, and say where each stands."""
    placed, start = [], 0
    for word in words:
        placed.append(Word(word, start, start + len(word)))
        start += len(word) + 1
    return " ".join(words), tuple(placed)


def split_words(text: str, language: str) -> list[Word]:
    """Split text into words by the rules of ``language`` ("en", "fr", "de" or "es").

    A run of more than 128 characters without a space is cut into pieces first. The words returned keep the characters
    as given, also those that :func:`~mmner_core.text.readable.readable_text` reads as something else or not at all.

    Raises:
        InputError: if the language is not one of the four.
    """
    if language not in LANGUAGES:
        raise InputError(f"Language {language!r} is not supported; choose one of {', '.join(LANGUAGES)}.")
    readable, places = readable_text(text)
    words: list[Word] = []
    pipeline, lock = _pipeline(language)
    with lock, pipeline.memory_zone():  # the zone frees the vocabulary of this text: a server must not grow
        for offset, piece in _pieces(readable):
            for token in pipeline.tokenizer(piece):
                begin = offset + token.idx  # spaCy makes tokens of white space too; a word holds none
                for part in _SPACE_FREE.finditer(readable, begin, begin + len(token)):
                    start, stop = places[part.start()], places[part.end() - 1] + 1
                    words.append(Word(text[start:stop], start, stop))
    return words


def _pieces(text: str) -> Iterator[tuple[int, str]]:
    """Yield (offset, piece) such that no piece holds a run longer than ``LONGEST_RUN``; together they are the text."""
    done = 0
    for run in _LONG_RUN.finditer(text):
        yield done, text[done : run.start()]
        yield from ((piece.start(), piece.group()) for piece in _PIECE.finditer(text, run.start(), run.end()))
        done = run.end()
    yield done, text[done:]


@functools.cache
def _pipeline(language: str) -> tuple[Language, threading.Lock]:
    """Build the tokenizer of a language, and the lock that its memory zone needs."""
    spacy = _import_spacy()
    from spacy.lang.char_classes import HYPHENS
    from spacy.lang.punctuation import TOKENIZER_INFIXES, TOKENIZER_PREFIXES, TOKENIZER_SUFFIXES
    from spacy.tokenizer import Tokenizer  # type: ignore[import-not-found]

    pipeline = spacy.blank("xx")
    pipeline.vocab.lex_attr_getters = {}  # shape, "looks like a number" and a dozen more: half of the time, never read
    # "all-rounder", "Profi-Vertrag", "anti-perse": the corpora leave hyphens within words alone, spaCy does not.
    infixes = [*_INFIXES, *(rule for rule in TOKENIZER_INFIXES if f"(?:{HYPHENS})" not in rule)]
    suffixes = [*_SUFFIXES, *TOKENIZER_SUFFIXES]
    if language == "fr":
        infixes += [_FRENCH_ELISION.format(word) for word in _FRENCH_ELIDED]
        suffixes.append(_FRENCH_INVERSION)
    pipeline.tokenizer = Tokenizer(
        pipeline.vocab,
        rules=_whole_words(language),
        prefix_search=spacy.util.compile_prefix_regex([*_PREFIXES, *TOKENIZER_PREFIXES]).search,
        suffix_search=spacy.util.compile_suffix_regex(suffixes).search,
        infix_finditer=spacy.util.compile_infix_regex(infixes).finditer,
        token_match=_WHOLE.match,
        url_match=pipeline.Defaults.url_match,
    )
    return pipeline, threading.Lock()


def _whole_words(language: str) -> dict[str, list[dict[int | str, str]]]:
    """Return spaCy's exceptions of a language: abbreviations, emoticons, contractions.

    "cannot", "gonna", "dont" stay whole, as in WikiNEuRal: only a contraction with an apostrophe is parted. Emoticons
    like "):" go, for they would weld the end of "(in London):".
    """
    spacy = _import_spacy()
    elided = [f"{word}{apostrophe}" for word in ELIDED for apostrophe in "'’"]
    whole = (*_ABBREVIATIONS, *elided, *(_FRENCH_ABBREVIATIONS if language == "fr" else ()))
    stock = spacy.util.get_lang_class("xx" if language == "fr" else language).Defaults.tokenizer_exceptions
    rules = {
        word: parts
        for word, parts in stock.items()
        if (len(parts) == 1 or not word.isalpha()) and not re.match(r"[()]\W$", word)
    }
    return rules | {word: [{"ORTH": word}] for word in whole}


@functools.cache
def _import_spacy() -> Any:
    """Import spaCy without its command line, which nobody calls here and which takes half of the time.

    ``spacy/__init__.py`` imports ``spacy.cli.info`` for one function; a stand-in is there meanwhile, and gone after.
    """
    stand_ins = {name: ModuleType(name) for name in ("spacy.cli", "spacy.cli.info")}
    stand_ins["spacy.cli.info"].info = None  # type: ignore[attr-defined]
    placed = {} if "spacy" in sys.modules else stand_ins
    sys.modules.update(placed)
    try:
        import spacy
    finally:
        for name in placed:
            sys.modules.pop(name, None)
    return spacy

"""The text stress tests: change a sentence's words as people type them, so that its gold tags still fit.

============ ==================================================================================================
name         what the model reads
============ ==================================================================================================
lower_case   everything in small letters
capitals     everything in capitals
no_accents   letters without their accents, as on a foreign keyboard
typos        in one of five words of four letters or more one slip: two letters swapped, one left out or doubled
hashtags     one of three words of three letters or more as a hashtag
no_stop      the sentence without its final stop
============ ==================================================================================================

Words stay where they are. Only a final stop that is a word of its own is left out altogether; it is no part of an
entity, or it stays.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np

from mmner_core.errors import InputError
from mmner_core.labels import OUTSIDE

Words = tuple[str, ...]
Stress = Callable[[Words, Sequence[str], np.random.Generator], Words]
SLIP_SHARE, HASHTAG_SHARE = 1 / 5, 1 / 3
_SLIP_LETTERS, _HASHTAG_LETTERS = 4, 3
_STOPS = ".!?…。"
_ACCENTS = range(0x300, 0x370)  # combining marks of Latin, Greek and Cyrillic; those of other scripts are letters there


@dataclass(frozen=True, slots=True)
class TextStress:
    """A way to change the words of every sentence; the same sentence is always changed in the same way.

    Attributes:
        name: a key of :data:`STRESSES`.
        seed: of what is random in it.

    Raises:
        InputError: if there is no such way.
    """

    name: str
    seed: int = 0

    def __post_init__(self) -> None:
        if self.name not in STRESSES:
            raise InputError(f"There is no change of the text {self.name!r}; there are {', '.join(STRESSES)}.")

    def __call__(self, words: Sequence[str], tags: Sequence[str]) -> Words:
        """Return the words to be read; as many as before, or all but the last where that is a stop outside entities.

        Args:
            words: of a sentence, W of them.
            tags: [W] its gold tags.
        """
        rng = np.random.default_rng([self.seed, crc32("\0".join((self.name, *words)).encode("utf-8", "replace"))])
        return STRESSES[self.name](tuple(words), tags, rng)


def _each_word(change: Callable[[str, np.random.Generator], str]) -> Stress:
    """Return a function that changes a sentence word by word; a word of which nothing would be left stays."""

    def changed(words: Words, _: Sequence[str], rng: np.random.Generator) -> Words:
        return tuple(change(word, rng) or word for word in words)

    return changed


def _no_accents(word: str, _: np.random.Generator) -> str:
    bare = "".join(c for c in unicodedata.normalize("NFD", word) if ord(c) not in _ACCENTS)
    return unicodedata.normalize("NFC", bare)


def _typo(word: str, rng: np.random.Generator) -> str:
    """Make a typing mistake in a word's letters after the first, which people seldom get wrong."""
    chosen, kind = rng.random() < SLIP_SHARE, rng.integers(3)
    place = int(rng.integers(1, max(2, len(word) - 1)))
    if not chosen or len(word) < _SLIP_LETTERS or not word.isalpha():
        return word
    before, letter, after = word[:place], word[place], word[place + 1 :]
    slips = (before + after[:1] + letter + after[1:], before + after, before + 2 * letter + after)
    return slips[kind]


def _hashtag(word: str, rng: np.random.Generator) -> str:
    chosen = rng.random() < HASHTAG_SHARE
    return f"#{word}" if chosen and len(word) >= _HASHTAG_LETTERS and word.isalnum() else word


def _no_stop(words: Words, tags: Sequence[str], _: np.random.Generator) -> Words:
    bare = words[-1].rstrip(_STOPS) if words else ""
    if bare:
        return (*words[:-1], bare)
    return words[:-1] if len(words) > 1 and tags[-1] == OUTSIDE else words


STRESSES: dict[str, Stress] = {
    "lower_case": _each_word(lambda word, _: word.lower()),
    "capitals": _each_word(lambda word, _: word.upper()),
    "no_accents": _each_word(_no_accents),
    "typos": _each_word(_typo),
    "hashtags": _each_word(_hashtag),
    "no_stop": _no_stop,
}

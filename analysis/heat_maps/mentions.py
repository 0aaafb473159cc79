"""Sentences that hold a given name: a user's own, or simple templates where there is only the name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from mmner_core.errors import InputError
from mmner_core.labels import Entity
from mmner_core.text.language import resolve_language
from mmner_core.text.words import split_words

CARRIERS = {
    "en": ("A photo of {name} .", "Here is {name} .", "This is {name} ."),
    "fr": ("Une photo avec {name} .", "Voici {name} .", "C'est {name} ."),
    "de": ("Ein Foto mit {name} .", "Hier ist {name} .", "Das ist {name} ."),
    "es": ("Una foto con {name} .", "Aquí está {name} .", "Esto es {name} ."),
}
"""Words that leave the type of the name open, and need no article or ending that would have to agree with it."""


class Mention(NamedTuple):
    """A sentence and a name in it.

    Attributes:
        words: the words.
        entity: which of them are the name, and its type.
    """

    words: tuple[str, ...]
    entity: Entity


def carrier_mentions(name: str, entity_type: str, languages: Sequence[str]) -> tuple[Mention, ...]:
    """Put a name into the carrier sentences of some languages.

    Raises:
        InputError: if nothing of the name is a word.
    """
    return tuple(
        _mention(carrier.format(name=name), carrier.index("{"), name, entity_type, language)
        for language in languages
        for carrier in CARRIERS[language]
    )


def find_mention(sentence: str, name: str, entity_type: str, language: str | None) -> Mention:
    """Find a name in a sentence: where it stands as words of its own, else where it first stands.

    Args:
        sentence: raw text.
        name: characters of it.
        entity_type: the name's type.
        language: what to split words by; None: detected.

    Raises:
        InputError: if the sentence does not hold the name.
    """
    spoken, _, _ = resolve_language(sentence, language)
    starts = list(_occurrences(sentence, name))
    if not starts:
        raise InputError(f"the sentence does not hold the name {name!r} as it is written; correct one of the two.")
    words = split_words(sentence, spoken)
    begins, ends = {word.start for word in words}, {word.end for word in words}
    alone = [start for start in starts if start in begins and start + len(name) in ends]
    return _mention(sentence, (alone or starts)[0], name, entity_type, spoken)


def _mention(text: str, start: int, name: str, entity_type: str, language: str) -> Mention:
    words = split_words(text, language)
    held = [i for i, word in enumerate(words) if word.end > start and word.start < start + len(name)]
    if not held:
        raise InputError(f"nothing of the name {name!r} can be read; give one with letters.")
    return Mention(tuple(word.text for word in words), Entity(held[0], held[-1] + 1, entity_type))


def _occurrences(text: str, name: str) -> Iterator[int]:
    start = text.find(name)
    while start >= 0:
        yield start
        start = text.find(name, start + 1)

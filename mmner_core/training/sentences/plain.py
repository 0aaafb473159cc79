"""Sentences without names, so that the tagger learns to say nothing: our own, and clauses cut from tagged text."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path

from mmner_core.data.example import Example
from mmner_core.labels import OUTSIDE
from mmner_core.text.language_names import LANGUAGES
from mmner_core.text.words import split_words

PLAIN_FOLDER = Path(__file__).with_name("plain")
SENTENCE_END = frozenset(".!?…")


def plain_examples(folder: Path = PLAIN_FOLDER) -> list[Example]:
    """Read ``LANGUAGE.txt`` of each language, one sentence a line, all tagged ``O`` (convention "wiki")."""
    return [example for language in LANGUAGES for example in _read(folder / f"{language}.txt", language)]


def _read(path: Path, language: str) -> Iterator[Example]:
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if words := tuple(word.text for word in split_words(line, language)):
            yield Example(
                words=words,
                tags=(OUTSIDE,) * len(words),
                language=language,
                where=f"{path.parent.name}/{path.name}:{number}",
                convention="wiki",
            )


def name_free_clauses(
    examples: Iterable[Example], *, min_words: int = 5, rng: random.Random, limit: int
) -> list[Example]:
    """Cut clauses without names from tagged sentences: at most ``limit`` of them, drawn by ``rng``.

    A clause is a stretch of ``O`` words between punctuation or the edges of the sentence, with ``min_words`` words
    besides punctuation; it keeps the full stop of its sentence. Sentences that hold no name at all are left out: they
    are in the training data already. Outside German a capital within the clause disqualifies it, for the silver
    labels miss names and these must not be taught as none.
    """
    clauses = [
        replace(example, words=example.words[start:end], tags=(OUTSIDE,) * (end - start), image_id=None, image=None)
        for example in examples
        if example.tags is not None and any(tag != OUTSIDE for tag in example.tags)
        for start, end in _outside_stretches(example.words, example.tags)
        if _is_clause(example.words[start:end], min_words, capitals_are_names=example.language != "de")
    ]
    return clauses if len(clauses) <= limit else rng.sample(clauses, limit)


def _outside_stretches(words: tuple[str, ...], tags: tuple[str, ...]) -> Iterator[tuple[int, int]]:
    """Yield each maximal run of ``O`` words, shrunk until punctuation or an edge of the sentence bounds it."""
    start = 0
    while start < len(words):
        end = start
        while end < len(words) and tags[end] == OUTSIDE:
            end += 1
        yield _shrink(words, start, end)
        start = end + 1


def _shrink(words: tuple[str, ...], start: int, end: int) -> tuple[int, int]:
    marks = [i for i in range(start, end) if _is_punctuation(words[i])]
    if start > 0:
        start = marks[0] + 1 if marks else end
    if end < len(words):
        end = max(marks[-1], start) if marks else start
    while start < end and _is_punctuation(words[start]):
        start += 1
    while start < end and _is_punctuation(words[end - 1]) and words[end - 1] not in SENTENCE_END:
        end -= 1
    return start, end


def _is_clause(words: tuple[str, ...], min_words: int, *, capitals_are_names: bool) -> bool:
    if capitals_are_names and any(word[:1].isupper() for word in words[1:]):
        return False
    return sum(not _is_punctuation(word) for word in words) >= min_words


def _is_punctuation(word: str) -> bool:
    return not any(character.isalnum() for character in word)

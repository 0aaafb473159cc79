"""Arbitrary texts, tags and spans survive the way there and back; executions are counted."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.data import FORMATS, Example, read_examples, write_examples
from mmner_core.errors import InputError
from mmner_core.inference.tagger import Tagger
from mmner_core.labels import DEFAULT_TYPES, Entity, LabelSet, repair, tags_to_entities
from mmner_core.text.invisible import is_blank
from mmner_core.text.language_names import LANGUAGES
from mmner_core.text.words import split_words
from tests.helpers import entities_to_tags
from tests.hostile.counting import count, examples
from tests.hostile.test_texts import TEXTS
from tests.hostile.visitor import Visitor, sentence

ANY = st.characters(exclude_categories=())
PIECES = st.sampled_from([*TEXTS.values(), *(text[:7] for text in TEXTS.values()), " ", "Jordan", "(", "l'"])
texts = st.lists(st.text(ANY, max_size=8) | PIECES, max_size=8).map("".join)
tag = st.sampled_from(LabelSet().tags)


@examples(120)
@given(text=texts, language=st.sampled_from(LANGUAGES))
def test_words_are_slices_of_any_text(text: str, language: str) -> None:
    """In order, without overlap, with nothing to be seen between them."""
    count("texts split into words")
    end = 0
    for word in split_words(text, language):
        assert text[word.start : word.end] == word.text and word.start >= end and is_blank(text[end : word.start])
        end = word.end
    assert is_blank(text[end:])


@examples(40)
@given(text=texts)
def test_any_text_is_tagged_or_refused(tagger: Tagger, text: str) -> None:
    """With the language found, too."""
    count("texts tagged")
    try:
        Visitor(tagger).ask(text, lang=None)
    except InputError as error:
        assert is_blank(text) and sentence(error)


@examples(200)
@given(tags=st.lists(tag, max_size=12))
def test_tags_survive_as_spans(tags: list[str]) -> None:
    """Tags to spans and back are the tags themselves once orphans are repaired, and repairing twice changes nothing."""
    count("tags to spans and back")
    legal, orphans = repair(tags)
    assert entities_to_tags(tags_to_entities(tags), len(tags)) == legal
    assert repair(legal) == (legal, 0) and (orphans == 0) == (legal == tags)
    labels = LabelSet()
    assert labels.decode(labels.encode(tags)) == tags


@examples(200)
@given(
    parts=st.lists(st.tuples(st.integers(0, 3), st.integers(1, 4), st.sampled_from(DEFAULT_TYPES)), max_size=5),
    rest=st.integers(0, 3),
)
def test_spans_survive_as_tags(parts: list[tuple[int, int, str]], rest: int) -> None:
    """Spans that do not overlap come back in order, side by side or apart, of one type or of several."""
    count("spans to tags and back")
    entities, place = [], 0
    for gap, length, kind in parts:
        entities.append(Entity(place + gap, place + gap + length, kind))
        place += gap + length
    assert tags_to_entities(entities_to_tags(entities, place + rest)) == entities


@pytest.mark.parametrize("fmt", FORMATS)
@examples(60)
@given(
    words=st.lists(st.text(ANY, min_size=1, max_size=6) | PIECES, min_size=1, max_size=4),
    image_id=st.none() | st.text(ANY, max_size=6),
    data=st.data(),
)
def test_sentences_survive_as_files(
    tmp_path_factory: pytest.TempPathFactory, fmt: str, words: list[str], image_id: str | None, data: st.DataObject
) -> None:
    """What a format can carry is read back as it was written; the rest is refused before anything is written."""
    count(f"sentences written and read as {fmt}")
    tags, _ = repair(data.draw(st.lists(tag, min_size=len(words), max_size=len(words))))
    example = Example(words=tuple(words), tags=tuple(tags), image_id=image_id)
    file = tmp_path_factory.getbasetemp() / f"round-trip.{fmt}"
    file.unlink(missing_ok=True)
    try:
        write_examples(file, [example], fmt=fmt)
    except InputError as error:
        assert "cannot be written as" in str(error) or "is not one" in str(error)
        assert not file.exists()
        return
    [read] = read_examples(file, fmt=fmt)[0]
    assert (read.words, read.tags) == (example.words, example.tags)
    assert read.image_id == (image_id if FORMATS[fmt].format_image else None)

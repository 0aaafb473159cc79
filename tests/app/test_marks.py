"""Marked text: escaped, complete, readable, and reachable from the keyboard."""

from __future__ import annotations

import re
from html import unescape

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.palette import contrast, text_colour, type_colours
from analysis.panels.templates import showable
from analysis.views.marks import Mark, entity_marks, marked_text
from mmner_core.labels import DEFAULT_TYPES
from tests.app.made import TEXT, entity
from tests.told import refused

COLOURS = type_colours(DEFAULT_TYPES)


def visible(html: str) -> str:
    """Return what a page shows of ``html``: its text without tags and without the labels in marks."""
    return unescape(re.sub(r"<[^>]*>", "", re.sub(r'<span class="wb-label">.*?</span>', "", html)))


def test_user_text_is_escaped_inside_and_outside_marks() -> None:
    """No tag a user typed becomes a tag of the page."""
    text = "<script>alert(1)</script> \"Ada\" <img onerror='x'>"
    html = marked_text(text, [Mark(start=0, end=8, type="PER", index=0)], COLOURS)
    assert "<script" not in html
    assert "<img" not in html
    assert visible(html) == text


@settings(max_examples=40)
@given(st.text(max_size=60), st.data())
def test_marked_text_shows_every_character_once(text: str, data: st.DataObject) -> None:
    """Whatever the spans, the visitor reads the text as given, white space and line breaks included."""
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=6)))
    marks = [
        Mark(start=a, end=b, type="LOC", confidence=0.5, index=i)
        for i, (a, b) in enumerate(zip(cuts[::2], cuts[1::2], strict=False))
    ]
    assert visible(marked_text(text, marks, COLOURS)) == showable(text)


def test_mark_holds_its_label_confidence_and_index() -> None:
    """Label and confidence are written inside the mark; a click finds the entity."""
    html = marked_text(TEXT, entity_marks([entity(0, "PER", 0.834)]), COLOURS, selected=0)
    mark = re.search(r'<span class="wb-mark".*?</span></span>', html)
    assert mark is not None
    assert "PER 0.83" in mark[0]
    assert 'data-entity="0"' in mark[0]
    assert 'aria-pressed="true"' in mark[0]
    assert 'tabindex="0"' in mark[0]
    assert 'aria-label="Jordan: PER, confidence 0.83. Show where the model looked."' in mark[0]


def test_mark_without_index_is_no_button() -> None:
    """Gold annotation is shown the same way but promises no click."""
    html = marked_text(TEXT, [Mark(start=0, end=6, type="PER")], COLOURS)
    assert "role=" not in html
    assert ">PER</span>" in html


@pytest.mark.parametrize(("start", "end"), [(3, 3), (0, 99), (5, 8)])
def test_impossible_marks_are_refused(start: int, end: int) -> None:
    """An empty mark, one outside the text, and one that overlaps another are bugs of the caller."""
    marks = [Mark(start=0, end=6, type="PER"), Mark(start=start, end=end, type="LOC")]
    with refused("overlaps", by=ValueError):
        marked_text(TEXT, marks, COLOURS)


def test_characters_no_page_can_hold_are_replaced() -> None:
    """NUL and half surrogate pairs, as JSON can carry them, are shown as the replacement character."""
    assert visible(marked_text("a\x00b\ud800", (), {})) == "a\ufffdb\ufffd"


@pytest.mark.parametrize("types", [DEFAULT_TYPES, ("OTHER", "PER"), tuple(f"T{i}" for i in range(40))])
def test_colours_are_distinct_and_their_text_readable(types: tuple[str, ...]) -> None:
    """Any label set gets colours of its own, with text at WCAG AA contrast (4.5) or better."""
    colours = type_colours(types)
    assert len(set(colours.values())) == len(types)
    assert all(contrast(colour, text_colour(colour)) >= 4.5 for colour in colours.values())


def test_contrast_matches_the_standard() -> None:
    """The ratio of black on white is 21, of a colour with itself 1, as WCAG has it."""
    assert contrast("#000000", "#FFFFFF") == pytest.approx(21.0)
    assert contrast("#767676", "#FFFFFF") == pytest.approx(4.54, abs=0.01)
    assert contrast("#E69F00", "#E69F00") == 1.0

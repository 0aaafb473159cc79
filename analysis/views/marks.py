"""HTML of a text with its names marked, label and confidence inside the mark.

Marks are spans with ``role="button"`` rather than buttons because a button cannot break across lines; the page's
script gives them the keyboard of a button.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape

from analysis.palette import text_colour
from mmner_core.results import TaggedEntity

_TEXT = '<div class="wb-text" dir="auto">{body}</div>'
_MARK = (
    '<span class="wb-mark{kind}"{attributes} style="--mark:{colour};--mark-text:{text_colour}">'
    '{text}<span class="wb-label">{label}</span></span>'
)
_BUTTON = ' role="button" tabindex="0" data-entity="{index}" aria-pressed="{pressed}" aria-label="{aria}"{confidence}'

# A browser cannot hold NUL or half of a surrogate pair, and neither can UTF-8; each is shown as one U+FFFD.
_UNSHOWABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """One marked span of a text.

    Attributes:
        start, end: half-open character span.
        type: the entity type, written inside the mark.
        confidence: 0 to 1, or None where there is none to show (gold annotation).
        index: the entity a click selects, or None for a mark that does nothing.
        changed: whether to set it off from names that another answer has as well.
    """

    start: int
    end: int
    type: str
    confidence: float | None = None
    index: int | None = None
    changed: bool = False


def entity_marks(entities: Iterable[TaggedEntity]) -> list[Mark]:
    """Make one clickable mark per entity, numbered in order."""
    return [
        Mark(start=e.start, end=e.end, type=e.type, confidence=e.confidence, index=i) for i, e in enumerate(entities)
    ]


def marked_text(text: str, marks: Iterable[Mark], colours: Mapping[str, str], *, selected: int | None = None) -> str:
    """Return ``text`` as HTML with its marks; everything a user wrote is escaped, white space and breaks are kept.

    Raises:
        ValueError: if a mark is empty, leaves the text, or overlaps the one before it.
    """
    pieces: list[str] = []
    position = 0
    for mark in sorted(marks, key=lambda m: m.start):
        if not position <= mark.start < mark.end <= len(text):
            raise ValueError(f"{mark} overlaps another mark or leaves the text of {len(text)} characters.")
        pieces.append(escape_html(text[position : mark.start]))
        pieces.append(_mark_html(text[mark.start : mark.end], mark, colours[mark.type], mark.index == selected))
        position = mark.end
    pieces.append(escape_html(text[position:]))
    return _TEXT.format(body="".join(pieces))


def confidence_attribute(confidence: float | None) -> str:
    """Return the attribute by which the page knows which names a least confidence hides."""
    return "" if confidence is None else f' data-confidence="{confidence:.6f}"'


def escape_html(text: str) -> str:
    """Escape ``text`` for HTML content and quoted attributes, with characters no page can hold replaced."""
    return escape(_UNSHOWABLE.sub("\ufffd", text), quote=True)


def _mark_html(text: str, mark: Mark, colour: str, pressed: bool) -> str:
    label = mark.type if mark.confidence is None else f"{mark.type} {mark.confidence:.2f}"
    attributes = ""
    if mark.index is not None:
        certainty = "" if mark.confidence is None else f", confidence {mark.confidence:.2f}"
        aria = escape_html(f"{text}: {mark.type}{certainty}. Show where the model looked.")
        told = confidence_attribute(mark.confidence)
        attributes = _BUTTON.format(index=mark.index, pressed=str(pressed).lower(), aria=aria, confidence=told)
    return _MARK.format(
        kind=" wb-mark-changed" if mark.changed else "",
        attributes=attributes,
        colour=colour,
        text_colour=text_colour(colour),
        text=escape_html(text),
        label=escape(label),
    )

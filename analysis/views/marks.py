"""A text with its names marked, label and confidence inside the mark."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.views.rendering import render
from mmner_core.results import TaggedEntity

if TYPE_CHECKING:
    from markupsafe import Markup


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


def marked_text(text: str, marks: Iterable[Mark], colours: Mapping[str, str], *, selected: int | None = None) -> Markup:
    """Return ``text`` as markup with its marks; white space and breaks are kept.

    Raises:
        ValueError: if a mark is empty, leaves the text, or overlaps the one before it.
    """
    pieces: list[tuple[str, Mark | None]] = []
    position = 0
    for mark in sorted(marks, key=lambda m: m.start):
        if not position <= mark.start < mark.end <= len(text):
            raise ValueError(f"{mark} overlaps another mark or leaves the text of {len(text)} characters.")
        pieces += [(text[position : mark.start], None), (text[mark.start : mark.end], mark)]
        position = mark.end
    return render("marks", pieces=[*pieces, (text[position:], None)], colours=colours, selected=selected)

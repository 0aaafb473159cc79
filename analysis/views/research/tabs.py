"""The parts of each research tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import get_args

from analysis.panels import (
    PanelKind,
    calibration,
    confusion,
    corrections,
    errors,
    kept_slices,
    modality,
    space_map,
    threshold,
)
from analysis.panels.registry import SECTIONS, Tab
from analysis.views.rendering import render
from analysis.views.research.calibration import draw_calibration
from analysis.views.research.controls import draw_controls
from analysis.views.research.correct import draw_correct
from analysis.views.research.failures import draw_failures
from analysis.views.research.galleries import draw_helped, draw_hurt
from analysis.views.research.hover import draw_hover
from analysis.views.research.inspector import draw_inspector, draw_neighbours
from analysis.views.research.kept import draw_corrected_scores, draw_corrections, draw_kept_slices
from analysis.views.research.marginals import draw_marginals
from analysis.views.research.matrix import draw_cell, draw_matrix
from analysis.views.research.panel_html import render_panel
from analysis.views.research.search import draw_found, draw_search
from analysis.views.research.space import draw_picked, draw_space_map
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.threshold import draw_threshold

Draw = Callable[[TabRequest], RenderedPart]
SAVED = "saved"
"""What parts depend on that show what visitors keep beside runs: the page counts how often it had something saved."""


@dataclass(frozen=True, slots=True)
class TabPart:
    """A part of a tab, asked for when it comes into view and again when something it depends on changes.

    Attributes:
        id: short name.
        draw: makes it.
        uses: the parameters it depends on besides the run, and ``SAVED``.
        chapter: its name in the list at the top of the tab; "" for a part that belongs to the one before it.
        height: pixels to keep free for it, so that the page does not jump; 0 for one that may stay empty.
        kept: whether what was drawn may be shown to whoever asks next; not where it depends on more than the address
            and the runs, such as the model, or is one of thousands.
    """

    id: str
    draw: Draw
    uses: tuple[str, ...] = ()
    chapter: str = ""
    height: int = 320
    kept: bool = True


def _part(kind: PanelKind[...], draw: Draw, *uses: str) -> TabPart:
    return TabPart(kind.id, draw, uses, kind.chapter, kind.height)


def _kept_part(kind: PanelKind[...], draw: Draw, *uses: str) -> TabPart:
    """Return a part of what visitors keep beside the run, which may change at any time."""
    return replace(_part(kind, draw, *uses, SAVED), kept=False)


def _plain_part(kind: PanelKind[...]) -> TabPart:
    """Return a part that is one panel, whose table shows the chosen language alone."""
    return _part(
        kind,
        lambda request: render_panel(kind.of(request), request.view.language),
        *dict.fromkeys(("language", *kind.depends_on)),
    )


def _comparing_part(kind: PanelKind[...]) -> TabPart:
    """Return a part that is there only while a run to compare with is chosen; a chapter's first says how to."""
    part = _plain_part(kind)

    def draw(request: TabRequest) -> RenderedPart:
        if request.other is not None:
            return part.draw(request)
        return RenderedPart(html=render("research/no_other") if kind.chapter else "")

    return replace(part, draw=draw, height=120 if kind.chapter else 0)


_CELLS = ("language", "condition", "values", "reading", "cell", "other")
_WITH_CONTROLS = (
    (_part(confusion.confusion, draw_matrix, *_CELLS), TabPart("cell", draw_cell, (*_CELLS, "listed"), height=0)),
    (_part(errors.failure_summary, draw_failures, "language", "condition", "filters", "sort", "page"),),
    (_kept_part(kept_slices.kept_slices, draw_kept_slices, "language", "condition", "filters"),),
    (_kept_part(corrections.corrected_scores, draw_corrected_scores, "language", "condition"),),
    (_kept_part(corrections.corrections, draw_corrections, "condition"),),
    (_part(calibration.calibration, draw_calibration, "language", "condition", "valid"),),
    (_part(threshold.threshold, draw_threshold, "language", "condition", "entity_type"),),
    (_part(modality.helped, draw_helped, "language"),),
    (_part(modality.hurt, draw_hurt, "language"),),
    (
        _part(space_map.space_map, draw_space_map, "map", "projection", "colour", "language"),
        TabPart("picked", draw_picked, ("map", "projection", "pick", "find"), height=0),
        TabPart("search", draw_search, chapter="Photo search", height=150),
        TabPart("found", draw_found, ("ask", "language"), height=0, kept=False),
    ),
)
"""Panels that the app draws in a way of its own, each with the parts that follow it."""
_INSIDE_OTHERS = (confusion.confusion_languages, errors.failures_first, space_map.entity_map)
"""Panels that the app shows as a choice of the confusion matrix, of the failure table and of the map."""
_OWN_PARTS = {parts[0].id: parts for parts in _WITH_CONTROLS} | {kind.id: () for kind in _INSIDE_OTHERS}


def _parts_of(kind: PanelKind[...]) -> tuple[TabPart, ...]:
    own = _OWN_PARTS.get(kind.id)
    if own is not None:
        return own
    return (_comparing_part(kind) if kind.needs_other else _plain_part(kind),)


TABS = {
    tab: tuple(
        part for section in SECTIONS if section.tab == tab for kind in section.panels for part in _parts_of(kind)
    )
    for tab in get_args(Tab)
}
# Which runs there are may change.
CONTROLS = TabPart(
    "controls", draw_controls, ("other", "condition", "language", "filters", SAVED), height=74, kept=False
)
INSPECTOR = (
    TabPart("inspect", draw_inspector, ("row", "condition", "other", SAVED), height=200, kept=False),
    TabPart("correct", draw_correct, ("row", SAVED), height=0, kept=False),
    TabPart("live", draw_marginals, ("row", "condition", "name", "kind"), height=120, kept=False),
    TabPart("near", draw_neighbours, ("row", "condition"), height=120, kept=False),
)
# In no place of its own: the page lays it over the map.
HOVER = TabPart("hover", draw_hover, ("map", "point"), height=0, kept=False)


def part_of(tab: str, part: str) -> TabPart | None:
    """Return a part by tab and id, None where there is none."""
    return next((p for p in (CONTROLS, *TABS.get(tab, ()), *INSPECTOR, HOVER) if p.id == part), None)

"""The parts of each research tab."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.panels import (
    compare,
    confusion,
    data_quality,
    embedding,
    errors,
    faithfulness,
    minimal_pairs,
    modality,
    pointing,
    scores,
    shapley,
    slices,
)
from analysis.views.research.calibration import draw_calibration
from analysis.views.research.controls import draw_controls
from analysis.views.research.failures import draw_failures
from analysis.views.research.galleries import draw_helped, draw_hurt
from analysis.views.research.hover import draw_hover
from analysis.views.research.inspector import draw_inspector, draw_neighbours
from analysis.views.research.marginals import draw_marginals
from analysis.views.research.matrix import draw_cell, draw_matrix
from analysis.views.research.panel_html import render_panel
from analysis.views.research.search import draw_found, draw_search
from analysis.views.research.space import draw_picked, draw_space_map
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.threshold import draw_threshold

if TYPE_CHECKING:
    from analysis.panels import Panel
    from analysis.run.folder import EvaluationRun

Draw = Callable[[TabRequest], RenderedPart]
_TALL, _LOW = 560, 320
_NO_OTHER = """<header class="wb-panel-head"><h3>Two runs compared</h3></header><p class="wb-how">Choose a run under
“Compare with”, at the top of this tab, to see what one gets right and the other does not: the difference of F1 with its
interval, what was fixed and what was broken, and where their confusion matrices differ.</p>"""


@dataclass(frozen=True, slots=True)
class TabPart:
    """A part of a tab, asked for when it comes into view and again when something it depends on changes.

    Attributes:
        id: short name.
        draw: makes it.
        uses: the parameters it depends on besides the run.
        chapter: its name in the list at the top of the tab; "" for a part that belongs to the one before it.
        height: pixels to keep free for it, so that the page does not jump; 0 for one that may stay empty.
        kept: whether what was drawn may be shown to whoever asks next; not where it depends on more than the address
            and the runs, such as the model, or is one of thousands.
    """

    id: str
    draw: Draw
    uses: tuple[str, ...] = ()
    chapter: str = ""
    height: int = _LOW
    kept: bool = True


def _part(
    name: str, build: Callable[[TabRequest], Panel], *uses: str, chapter: str = "", height: int = _LOW
) -> TabPart:
    """Return a part that is one panel, whose table shows the chosen language alone."""
    return TabPart(name, lambda a: render_panel(build(a), a.view.language), ("language", *uses), chapter, height)


def _versus(name: str, build: Callable[[EvaluationRun, EvaluationRun], Panel], *, chapter: str = "") -> TabPart:
    """Return a part that is there only while a run to compare with is chosen; the first says how to choose one."""

    def draw(request: TabRequest) -> RenderedPart:
        other = request.other
        if other is None:
            return RenderedPart(html=_NO_OTHER if chapter else "")
        return render_panel(build(request.run, other), request.view.language)

    return TabPart(name, draw, ("language", "other"), chapter, height=120 if chapter else 0)


_CELLS = ("language", "condition", "values", "reading", "cell", "other")
ERRORS = (
    _part("scores", lambda a: scores.scores(a.run, a.condition), "condition", chapter="Scores", height=640),
    TabPart("confusion", draw_matrix, _CELLS, "Confusion", 430),
    TabPart("cell", draw_cell, (*_CELLS, "listed"), height=0),
    _part("taxonomy", lambda a: errors.taxonomy(a.run, a.condition), "condition", chapter="Error classes"),
    TabPart("failures", draw_failures, ("language", "condition", "filters", "sort", "page"), "Failure table", 800),
    _part("slices", lambda a: slices.slices(a.run, a.condition), "condition", chapter="Slices", height=_TALL),
    _part("worst", lambda a: slices.worst(a.run, a.condition), "condition"),
    TabPart("calibration", draw_calibration, ("language", "condition", "valid"), "Calibration", _TALL),
    TabPart("threshold", draw_threshold, ("language", "condition", "entity_type"), "Least confidence", _TALL),
    _part("rules", lambda a: scores.rules(a.run, a.condition), "condition", chapter="Scoring rules"),
    _part("noise", lambda a: data_quality.noise(a.run, a.condition), "condition", chapter="Data"),
    _part("leakage", lambda a: data_quality.leakage(a.run)),
    _versus("differences", compare.differences, chapter="Two runs"),
    _versus("outcomes", compare.outcomes),
    _versus("confusion-runs", confusion.confusion_runs),
    _versus("flips", compare.flips),
)
EMBEDDING = (
    TabPart("map", draw_space_map, ("map", "projection", "colour", "language"), "Map", 760),
    TabPart("picked", draw_picked, ("map", "projection", "pick", "find"), height=0),
    TabPart("search", draw_search, chapter="Photo search", height=150),
    TabPart("found", draw_found, ("ask", "language"), height=0, kept=False),
    _part("retrieval", lambda a: embedding.retrieval(a.run, a.other), "other", chapter="Retrieval"),
    _part(
        "cosines",
        lambda a: embedding.cosines(a.run, a.other, a.view.language or "all"),
        "other",
        chapter="Cosines",
        height=_TALL,
    ),
    _part("geometry", lambda a: embedding.geometry(a.run, a.other), "other", chapter="Geometry"),
)
MODALITY = (
    _part("modality", lambda a: modality.modality(a.run), chapter="Contribution", height=640),
    TabPart("helped", draw_helped, ("language",), "Helped and hurt", _TALL),
    TabPart("hurt", draw_hurt, ("language",), height=_TALL),
    _part(
        "severity",
        lambda a: modality.severity(a.run, a.view.language or "all"),
        chapter="Corrupted images",
        height=_TALL,
    ),
    _part("shapley", lambda a: shapley.shapley(a.run), chapter="Shapley shares", height=_TALL),
    _part("streams", lambda a: shapley.shapley_streams(a.run), height=_TALL),
    _part("pairs", lambda a: minimal_pairs.minimal_pairs(a.run), chapter="Minimal pairs"),
    _part("terciles", lambda a: modality.terciles(a.run), chapter="Splits"),
    _part("kinds", lambda a: modality.pair_kinds(a.run)),
    _part("mosaics", lambda a: pointing.mosaics(a.run), chapter="Heat maps", height=_TALL),
    _part("boxes", lambda a: pointing.boxes(a.run)),
    _part("pointing", lambda a: pointing.pointing(a.run)),
    _part("honesty", lambda a: faithfulness.faithfulness(a.run), height=_TALL),
)
TABS = {"errors": ERRORS, "embedding": EMBEDDING, "modality": MODALITY}
# Which runs there are may change.
CONTROLS = TabPart("controls", draw_controls, ("other", "condition", "language"), height=74, kept=False)
INSPECTOR = (
    TabPart("inspect", draw_inspector, ("row", "condition", "other"), height=200, kept=False),
    TabPart("live", draw_marginals, ("row", "condition", "name", "kind"), height=120, kept=False),
    TabPart("near", draw_neighbours, ("row", "condition"), height=120, kept=False),
)
# In no place of its own: the page lays it over the map.
HOVER = TabPart("hover", draw_hover, ("map", "point"), height=0, kept=False)


def part_of(tab: str, part: str) -> TabPart | None:
    """Return a part by tab and id, None where there is none."""
    return next((p for p in (CONTROLS, *TABS.get(tab, ()), *INSPECTOR, HOVER) if p.id == part), None)

"""The part on a least confidence: its curves, with the entity type they are of."""

from __future__ import annotations

from analysis.panels.threshold import threshold
from analysis.scores.breakdowns import ALL
from analysis.views.research.matrix import select_html
from analysis.views.research.panel_html import render_panel
from analysis.views.research.tab_request import RenderedPart, TabRequest


def draw_threshold(request: TabRequest) -> RenderedPart:
    """Return the panel with a choice of the run's entity types."""
    view = request.view
    panel = threshold(request.run, view.entity_type or None, view.language or ALL, request.condition)
    choices = {"": "All types"} | {name: name for name in request.answers.gold.types}
    controls = f'<div class="wb-choices">{select_html("Type", "entity_type", choices, view.entity_type)}</div>'
    return render_panel(panel, view.language, controls)

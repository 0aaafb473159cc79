"""The part on a least confidence: its curves, with the entity type they are of."""

from __future__ import annotations

from analysis.panels.threshold import threshold
from analysis.views.research.choices import choices_html
from analysis.views.research.panel_html import render_panel
from analysis.views.research.tab_request import RenderedPart, TabRequest


def draw_threshold(request: TabRequest) -> RenderedPart:
    """Return the panel with a choice of the run's entity types."""
    view = request.view
    panel = threshold.of(request, entity_type=view.entity_type or None)
    choices = {"": "All types"} | {name: name for name in request.answers.gold.types}
    return render_panel(panel, view.language, choices_html(("Type", "entity_type", choices, view.entity_type)))

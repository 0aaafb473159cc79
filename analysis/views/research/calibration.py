"""The calibration part: reliability and ECE, with the validation run that the temperature is fitted on."""

from __future__ import annotations

from analysis.panels.calibration import calibration
from analysis.views.research.choices import choices_html
from analysis.views.research.panel_html import render_panel
from analysis.views.research.tab_request import OWN_HALVES, RenderedPart, TabRequest

_NONE_YET = "no run over valid: this run's halves, or as stored"


def draw_calibration(request: TabRequest) -> RenderedPart:
    """Return the panel with a choice of the runs that the temperature may be fitted on."""
    panel = calibration.of(request)
    known = request.library.valid_runs(request.run)
    choices = {name: name for name in known} | {OWN_HALVES: "none: as stored, or halves"}
    if not known:
        choices = {"": _NONE_YET}
    chosen = request.view.valid or (known[0] if known else "")
    controls = choices_html(("Temperature fitted on", "valid", choices, chosen))
    return render_panel(panel, request.view.language, controls)

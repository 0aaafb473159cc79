"""Reliability and ECE, with the validation run that the temperature is fitted on."""

from __future__ import annotations

from analysis.panels.calibration import calibration
from analysis.views.research.asked import OWN_HALVES, Asked, Drawn
from analysis.views.research.matrix import select_html
from analysis.views.research.panel_html import panel_drawn

_NONE_YET = "no run over valid: this run's halves, or as stored"


def draw_calibration(asked: Asked) -> Drawn:
    """Return the panel with a choice of the runs that the temperature may be fitted on."""
    language = asked.view.language
    valid = asked.valid
    panel = calibration(asked.run, valid, language or "all", asked.condition)
    known = asked.library.valid_runs(asked.run)
    choices = {name: name for name in known} | {OWN_HALVES: "none: as stored, or halves"}
    if not known:
        choices = {"": _NONE_YET}
    chosen = asked.view.valid or (known[0] if known else "")
    controls = f'<div class="wb-choices">{select_html("Temperature fitted on", "valid", choices, chosen)}</div>'
    return panel_drawn(panel, language, controls)

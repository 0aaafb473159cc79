"""The row at the top of a tab: which run, compared with which, under which image condition, in which language."""

from __future__ import annotations

from analysis.panels.facts import facts_of
from analysis.panels.modality import NAMES
from analysis.panels.wording import counted, language_name
from analysis.views.marks import escape_html
from analysis.views.research.matrix import select_html
from analysis.views.research.tab_request import RenderedPart, TabRequest

_HIDING = {
    "none": "text only",
    "nothing": "nothing at all",
    "image_only": "image only",
    "vit_only": "ViT stream, no text",
    "cnn_only": "CNN stream, no text",
}
_CONTROLS = '<div class="wb-choices wb-top">{selects}</div><p class="wb-how">{about}</p>'


def draw_controls(request: TabRequest) -> RenderedPart:
    """Return the drop-downs and what the run is."""
    run, view = request.run, request.view
    names = list(request.library.paths())
    languages = sorted(set(run.answers().languages))
    conditions = {name: NAMES.get(name, name).replace("-", ", severity ") for name in run.conditions}
    conditions |= {name: text for name, text in _HIDING.items() if name in conditions}
    chosen = view.run or names[0]
    selects = (
        select_html("Run", "run", {name: name for name in names}, chosen),
        select_html("Language", "language", {"": "All"} | {c: language_name(c) for c in languages}, view.language),
        select_html("Image condition", "condition", conditions, view.condition or run.condition),
        select_html("Compare with", "other", {"": "no other run"} | {n: n for n in names if n != chosen}, view.other),
    )
    return RenderedPart(html=_CONTROLS.format(selects="".join(selects), about=escape_html(_about(request))))


def _about(request: TabRequest) -> str:
    facts = facts_of(request.run)
    checkpoint = f"checkpoint {facts.checkpoint[:8]}" if facts.checkpoint else "another system's predictions"
    model = f"model {facts.model}" if facts.model else checkpoint
    sentences = counted(request.run.conditions[request.run.condition], "sentence")
    conditions = counted(len(request.run.conditions), "image condition")
    return f"{sentences} of {facts.split}, {model}, under {conditions}."

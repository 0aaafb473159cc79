"""The controls at the top of a tab: run, compared run, image condition, language."""

from __future__ import annotations

import json
from typing import Any

from analysis.panels.facts import facts_of
from analysis.panels.modality import NAMES
from analysis.panels.wording import counted, language_label
from analysis.views.rendering import render
from analysis.views.research.kept import slice_changes
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.view import written_filters

_HIDING = {
    "none": "text only",
    "nothing": "nothing at all",
    "image_only": "image only",
    "vit_only": "ViT stream, no text",
    "cnn_only": "CNN stream, no text",
}


def draw_controls(request: TabRequest) -> RenderedPart:
    """Return the drop-downs and what the run is."""
    run, view = request.run, request.view
    names = list(request.library.paths())
    languages = sorted(set(run.answers().languages))
    conditions = {name: NAMES.get(name, name).replace("-", ", severity ") for name in run.conditions}
    conditions |= {name: text for name, text in _HIDING.items() if name in conditions}
    chosen = view.run or names[0]
    others = {"": "no other run"} | {name: name for name in names if name != chosen}
    spoken = {"": "All"} | {code: language_label(code) for code in languages}
    selects = [
        {"label": label, "name": name, "choices": choices, "chosen": value}
        for label, name, choices, value in (
            ("Run", "run", {name: name for name in names}, chosen),
            ("Language", "language", spoken, view.language),
            ("Condition", "condition", conditions, view.condition or run.condition),
            ("Compare with", "other", others, view.other),
        )
    ]
    return RenderedPart(
        html=render("research/controls", selects=selects, slices=_slices(request), about=_about(request))
    )


def _slices(request: TabRequest) -> list[dict[str, Any]]:
    """Return the kept slices, each with what shows it, after the way back to all errors; none where none is kept."""
    changes = slice_changes(request)
    shown = written_filters(request.view.filters)
    slices = [{"name": "all errors", "change": json.dumps({"filters": "", "page": ""}), "chosen": False}]
    for name, change in changes.items():
        chosen = bool(shown) and change["filters"] == shown
        slices.append({"name": name, "change": json.dumps(change), "chosen": chosen})
    return slices if changes else []


def _about(request: TabRequest) -> str:
    facts = facts_of(request.run)
    checkpoint = f"checkpoint {facts.checkpoint[:8]}" if facts.checkpoint else "another system's predictions"
    model = f"model {facts.model}" if facts.model else checkpoint
    sentences = counted(request.run.conditions[request.run.condition], "sentence")
    conditions = counted(len(request.run.conditions), "condition")
    return f"{sentences} of {facts.split}, {model}, under {conditions}."

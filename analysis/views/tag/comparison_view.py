"""Two answers side by side: names marked in both texts, their probabilities, heat maps, differences marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from analysis.palette import type_colours
from analysis.views.heat_map.rendered import MapControls, render_heat_map
from analysis.views.inlined import PHOTO_SIDE, data_url
from analysis.views.marks import Mark, marked_text
from analysis.views.rendering import render
from analysis.views.tag.comparison import Change, ComparedAnswers

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.views.questions import TagAnswer

NOTABLE = 0.05
"""A change of probability from which on it is marked."""


def comparison_html(found: ComparedAnswers, titles: tuple[str, str], selected: int = 0) -> Markup:
    """Return two answers side by side.

    Args:
        found: the answers.
        titles: what to call each, in a few words.
        selected: number of the name, of ``found.changes``, whose heat maps are shown.
    """
    types = [t for answer in (found.one, found.other) for t in (answer.source.types if answer.source else ())]
    colours = type_colours(tuple(dict.fromkeys([*types, *(change.name.type for change in found.changes)])))
    chosen = found.changes[selected] if selected < len(found.changes) else None
    sides = [
        {
            "title": title,
            "text": marked_text(answer.prediction.text, _marks(found.changes, first), colours, selected=selected),
            "map": None if chosen is None else _map(answer, chosen),
        }
        for title, answer, first in zip(titles, (found.one, found.other), (True, False), strict=True)
    ]
    return render(
        "tag/comparison",
        summary=changes_summary(found.changes),
        sides=sides,
        changes=[(change, _shown(change)) for change in found.changes],
        colours=colours,
        selected=selected,
        notable=NOTABLE,
    )


def changes_summary(changes: Sequence[Change]) -> str:
    """Sum up in one or two sentences what became of the names."""
    if not changes:
        return "Neither answer has a name."
    n = len(changes)
    vanished = [change.name for change in changes if change.kind == "vanished"]
    added = [change.name for change in changes if change.kind == "added"]
    told = []
    for names, verb in ((vanished, "vanishes"), (added, "is added")):
        told += [f"“{name.text}” ({name.type}) {verb}" for name in names]
    if told:
        return f"{', '.join(told)}; {n - len(told)} of {n} names are the same."
    largest = max(changes, key=lambda change: abs(change.difference or 0.0))
    same = "The name is the same" if n == 1 else f"All {n} names are the same"
    if abs(largest.difference or 0.0) < NOTABLE:
        return f"{same}; no probability changes by {NOTABLE} or more."
    return f"{same}. Most changed: “{largest.name.text}”, {_change(largest)}."


def _marks(changes: Sequence[Change], first: bool) -> list[Mark]:
    """Return the names that one answer marks, those that the other lacks set off."""
    return [
        Mark(
            start=change.name.start,
            end=change.name.end,
            type=change.name.type,
            confidence=change.one if first else change.other,
            index=i,
            changed=change.kind != "kept",
        )
        for i, change in enumerate(changes)
        if (change.in_one if first else change.in_other)
    ]


def _map(answer: TagAnswer, change: Change) -> dict[str, str] | None:
    """Draw where an answer looks for the words of a name, which it need not take for one; None without a photo."""
    prediction = answer.prediction
    if answer.photo is None:
        return None
    if not prediction.attention:
        photo = data_url(answer.photo, side=PHOTO_SIDE)
        return {"data": photo, "alternative": "The photo", "caption": "No heat map: text only."}
    of_name = replace(answer, prediction=replace(prediction, entities=(change.name,)))
    drawn = render_heat_map(of_name, 0, MapControls())
    image = data_url(drawn.image, side=PHOTO_SIDE)
    return {"data": image, "alternative": drawn.alternative, "caption": drawn.alternative}


def _shown(change: Change) -> dict[str, Any]:
    return {
        "notable": change.kind != "kept" or abs(change.difference or 0.0) >= NOTABLE,
        "one": _probability(change.one, change.in_one),
        "other": _probability(change.other, change.in_other),
        "change": _change(change),
    }


def _probability(value: float | None, marked: bool) -> str:
    if value is None:
        return "type not known"
    return f"{value:.2f}" if marked else f"{value:.2f}, not marked"


def _change(change: Change) -> str:
    # To two decimals first, or a change too small to show would have a sign.
    difference = "" if change.difference is None else f"{round(change.difference, 2) + 0.0:+.2f}".replace("-", "−")
    if change.kind == "kept":
        return difference
    return f"{change.kind} ({difference})" if difference else change.kind

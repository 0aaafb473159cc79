"""The caption of a heat map: what it shows, where it is brightest, how the attention divides."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.views.heat_map.described import describe_place, describe_shares
from analysis.views.heat_map.entity_map import EntityMap
from analysis.views.heat_map.kinds import KINDS
from analysis.views.heat_map.overlay import colour_bar
from analysis.views.rendering import render

if TYPE_CHECKING:
    from markupsafe import Markup

_SHUFFLED = "Shuffled places for “{}”, to compare"


def caption_html(entity: EntityMap) -> Markup:
    """Return the caption of one name's map: title, where it is brightest, shares of the attention, colour bar."""
    kind = KINDS[entity.kind]
    return render(
        "heat_map/caption",
        title=(_SHUFFLED if entity.shuffled else kind.title).format(entity.name.text),
        place=describe_place(entity),
        shares=describe_shares(entity),
        mapped=entity.cells is not None,
        kind=kind,
        colours=colour_bar(12),
    )


def problem_caption(sentence: str) -> Markup:
    """Return the sentence about a problem in the caption's place."""
    return render("heat_map/problem", sentence=sentence)

"""The heat maps of one name of every kind, side by side: each under its name and how well that kind points."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from analysis.views.heat_map.kinds import KINDS
from analysis.views.inlined import PHOTO_SIDE, data_url
from analysis.views.rendering import macros, render
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.views.heat_map.rendered import RenderedHeatMap
    from analysis.views.measured import Pointing

SIDE_BY_SIDE = "side by side"
"""In place of a kind: all of them."""
SIDE_BY_SIDE_NAME = "All kinds, side by side"
_UNMEASURED = "how well it points was not measured"


def side_by_side_html(draw: Callable[[str], RenderedHeatMap], pointing: Mapping[str, Pointing]) -> Markup:
    """Return the maps of every kind; a kind that the model cannot give says so in its place.

    Args:
        draw: draws the map of a kind, a key of ``KINDS``; may raise :class:`InputError`.
        pointing: how well each kind points, where that was measured.
    """
    return render("heat_map/side_by_side", kinds=[_shown(kind, draw, pointing) for kind in KINDS])


def ask_kinds_html(name: str) -> Markup:
    """Return the button that asks for the maps of every kind of a name."""
    return macros("tag/macros").ask("data-ask", "kinds", f"Show all kinds of map of “{name}”, side by side")


def kinds_html(name: str, draw: Callable[[str], RenderedHeatMap], pointing: Mapping[str, Pointing]) -> Markup:
    """Return the maps of every kind of a name as a section of the page; see :func:`side_by_side_html`."""
    return render("tag/kinds", name=name, maps=side_by_side_html(draw, pointing))


def _shown(kind: str, draw: Callable[[str], RenderedHeatMap], pointing: Mapping[str, Pointing]) -> dict[str, str]:
    try:
        drawn = draw(kind)
        shown = {"data": data_url(drawn.image, side=PHOTO_SIDE), "told": drawn.alternative}
    except InputError as error:
        shown = {"data": "", "told": str(error)}
    points = pointing[kind].phrase if kind in pointing else _UNMEASURED
    return {"name": KINDS[kind].name, "points": points, **shown}

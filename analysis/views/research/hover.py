"""The photo beside a point of the map: asked for when the pointer rests there, since a map has thousands."""

from __future__ import annotations

from analysis.panels.space_map import points_of
from analysis.views.research.space import shown_map
from analysis.views.research.tab_request import RenderedPart, TabRequest

SIDE = 240  # pixels of the longer side, about twice the size on screen


def draw_hover(request: TabRequest) -> RenderedPart:
    """Return the photo of the sentence that a point of the map stands for, empty where there is none to show."""
    which, projection = shown_map(request)
    point = request.view.point
    if point is None:
        return RenderedPart(html="")
    ids = request.run.remember(
        ("sentences of points", which), lambda: points_of(request.run, projection, which)["sentence_id"].tolist()
    )
    row = request.row_of(ids[point]) if point < len(ids) else None
    path = "" if row is None else request.answers.sentences["image_path"].iloc[row]
    if request.images.find(request.run, path) is None:
        return RenderedPart(html="")
    return RenderedPart(html=request.images.image_html(request.run, path, side=SIDE))

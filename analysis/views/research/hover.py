"""The photo beside a point of the map: asked for when the pointer rests there, since a map has thousands."""

from __future__ import annotations

from analysis.panels.space_map import points_of
from analysis.views.research.asked import Asked, Drawn
from analysis.views.research.space import shown_map

SIDE = 240  # pixels of the longer side, about twice the size on screen


def draw_hover(asked: Asked) -> Drawn:
    """Return the photo of the sentence that a point of the map stands for, empty where there is none to show."""
    which, projection = shown_map(asked)
    point = asked.view.point
    if point is None:
        return Drawn(html="")
    ids = asked.run.remember(
        ("sentences of points", which), lambda: points_of(asked.run, projection, which)["sentence_id"].tolist()
    )
    row = asked.row_of(ids[point]) if point < len(ids) else None
    path = "" if row is None else asked.answers.sentences["image_path"].iloc[row]
    if asked.photos.find(asked.run, path) is None:
        return Drawn(html="")
    return Drawn(html=asked.photos.image_html(asked.run, path, side=SIDE))

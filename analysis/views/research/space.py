"""The map of the contrastive space, the sentences picked on it, and the visitor's own pair placed on it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from analysis.panels import space_map as panels
from analysis.panels.wording import counted
from analysis.views.rendering import render, set_attribute
from analysis.views.research.choices import choices_html
from analysis.views.research.loaded_model import text_vector_of
from analysis.views.research.panel_html import panel_html
from analysis.views.research.sentence_html import cards
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import table_html
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

    from analysis.panels import Panel
    from analysis.run.folder import EvaluationRun
    from mmner_core.results import Prediction

LISTED = 20
PROJECTIONS = {"umap": "UMAP", "pca": "PCA"}
MAPS = {"pairs": "Texts and photos", "entities": "Entity words"}


def draw_space_map(request: TabRequest) -> RenderedPart:
    """Return the map in the colours and the projection that are asked for."""
    view = request.view
    which, projection = shown_map(request)
    colour = view.colour or panels.COLOURS[0]
    _check(colour, panels.COLOURS, "colour")
    build: Callable[..., Panel] = panels.entity_map if which == "entities" else panels.space_map
    panel = build(request.run, cast(panels.Colour, colour), projection, request.language)
    colours: dict[str, str] = {name: name for name in panels.COLOURS}
    controls = choices_html(
        ("Points", "map", MAPS, which),
        ("Colour", "colour", colours, colour),
        ("Projection", "projection", PROJECTIONS, view.projection),
    )
    if panel.figure is None:
        return RenderedPart(html=panel_html(panel, "", controls))
    body = render("research/space_map", panel=panel, table=table_html(panel.table, "Points per colour"))
    html = panel_html(panel, body, controls)
    return RenderedPart(
        html=html, figure=panel.figure, table=lambda: panel.table, figure_data=panel.figure_data, name=panel.id
    )


def draw_picked(request: TabRequest) -> RenderedPart:
    """Return the sentences of the points that were picked, or that hold the text looked for, and their pairs' lines."""
    view = request.view
    if not view.pick and not view.find:
        return RenderedPart(html="", traces=[])
    which, projection = shown_map(request)
    points = panels.points_of(request.run, projection, which)
    if view.pick:
        known = [point for point in view.pick if point < len(points)]
        ids = list(dict.fromkeys(points["sentence_id"].iloc[known].tolist()))
        title = f"{counted(len(known), 'point')}, {counted(len(ids), 'sentence')}"
    else:
        ids = _containing(request, view.find, set(points["sentence_id"]))
        title = f"{counted(len(ids), 'sentence')} with “{view.find}”"
    shown_ids = ids[:LISTED]
    more = f"The first {LISTED} of {len(ids):,}; pick fewer to see the others." if len(ids) > LISTED else ""
    body = cards(request, [(sentence, "") for sentence in shown_ids])
    html = render("research/listed", title=title, close=set_attribute(pick=None, find=None), body=body, total=more)
    return RenderedPart(html=html, traces=_joined(points, shown_ids))


def place_pair(request: TabRequest, prediction: Prediction) -> dict[str, Any]:
    """Return the visitor's pair as HTML and as traces for the map.

    Raises:
        InputError: if the run has no map, or its model was another one.
    """
    from analysis.run.vectors import main_stream
    from analysis.space.projection import place_points
    from analysis.space.stored_maps import PAIRS, map_vectors  # these import torch

    which, projection = shown_map(request)
    if which != PAIRS:
        raise InputError("Your pair has its place on the map of texts and photos; choose it under Points.")
    text = text_vector_of(prediction)
    request.model.check_made(request.run)
    streams = [s for s in prediction.image_text_cosine if s in prediction.embeddings]
    new = [text, *([prediction.embeddings[main_stream(streams)]] if streams else [])]
    vectors, points = map_vectors(request.run, PAIRS)
    placed = place_points(np.stack(new).astype(np.float32), vectors, points)
    columns = [f"{projection}_{axis}" for axis in "xy"]
    places = placed[columns].to_numpy().tolist()
    said = [f"{name} at ({x:.1f}, {y:.1f})" for name, (x, y) in zip(("text", "photo"), places, strict=False)]
    cosine = ""
    if streams:
        value = prediction.image_text_cosine[main_stream(streams)]
        cosine = f"; their cosine is {value:+.2f}".replace("-", "\u2212")
    html = render("research/own_pair", text=prediction.text[:200], where=f"{' and '.join(said)}{cosine}.")
    return {"html": html, "traces": _own_traces(places)}


def place_something(run: EvaluationRun) -> None:
    """Place a point between two others, so that UMAP's functions are compiled before a visitor's pair needs them.

    Raises:
        InputError: if the run has no map of texts and photos.
    """
    from analysis.space.projection import place_points
    from analysis.space.stored_maps import PAIRS, map_vectors

    vectors, points = map_vectors(run, PAIRS)
    place_points(vectors[:2].mean(axis=0, keepdims=True), vectors, points)


def shown_map(request: TabRequest) -> tuple[panels.Map, panels.Projection]:
    """Return which map is shown, and which projection of it.

    Raises:
        InputError: if the address asks for one that there is not.
    """
    _check(request.view.map, MAPS, "map")
    _check(request.view.projection, PROJECTIONS, "projection")
    return cast("panels.Map", request.view.map), cast("panels.Projection", request.view.projection)


def _containing(request: TabRequest, text: str, there: set[int]) -> list[int]:
    answers = request.run.answers()
    wanted = text.casefold()
    ids = answers.sentences["sentence_id"].tolist()
    return [i for i, sentence in zip(ids, answers.texts(), strict=True) if i in there and wanted in sentence.casefold()]


def _joined(points: pd.DataFrame, sentences: list[int]) -> list[dict[str, Any]]:
    """Return rings round the points of some sentences, and a line from each text to its photo.

    Lines have no colour here: the page draws them in that of its text, light or dark.
    """
    mine = points[points["sentence_id"].isin(sentences)]
    pairs = panels.pairs_of(mine)
    x, y = ([v for row in pairs[[f"{a}_text", f"{a}_image"]].to_numpy().tolist() for v in (*row, None)] for a in "xy")
    ring = {"size": 13, "color": "rgba(0,0,0,0)", "line": {"width": 2}}
    common = {"type": "scatter", "showlegend": False, "hoverinfo": "skip", "name": "picked"}
    return [
        {**common, "mode": "lines", "x": x, "y": y, "line": {"width": 1.5}},
        {**common, "mode": "markers", "x": mine["x"].tolist(), "y": mine["y"].tolist(), "marker": ring},
    ]


def _own_traces(places: list[list[float]]) -> list[dict[str, Any]]:
    names = ["your text", "your photo"][: len(places)]
    return [
        {
            "type": "scatter", "mode": "lines+markers+text", "name": "your pair", "text": names,
            "x": [x for x, _ in places], "y": [y for _, y in places], "textposition": "top center",
            "hovertemplate": "%{text}<extra></extra>", "line": {"width": 2},
            "marker": {"size": 16, "color": "#E69F00", "symbol": ["star", "star-square"][: len(places)],
                       "line": {"width": 1.5}},
        }
    ]  # fmt: skip


def _check(value: str, known: Any, name: str) -> None:
    if value not in known:
        raise InputError(f"There is no {name} {json.dumps(value[:40])}; there are {', '.join(known)}.")

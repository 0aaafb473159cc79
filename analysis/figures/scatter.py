"""The map of the contrastive space."""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import NEUTRAL, colours_of, new_figure, plain

# Up to here SVG is fast enough, prints sharply and needs no WebGL.
_SVG_POINTS = 1500
_MAX_COLOURS = 7
_SYMBOLS = {"text": "circle", "image": "square", "entity": "triangle-up"}
_REST = "others"


def space_map(
    points: pd.DataFrame, *, colour: str = "type", pairs: pd.DataFrame | None = None, types: tuple[str, ...] = ()
) -> go.Figure:
    """Draw points coloured by one column, shaped by modality; each carries its id as ``customdata``.

    Args:
        points: point (id), x, y, modality ("text", "image", "entity"), ``colour``, and text for the hover.
        colour: the column that colours; beyond seven values the rarest share one colour and are named together.
        pairs: x_text, y_text, x_image, y_image of the pairs to join by a line.
        types: entity types, so that a colouring by type uses their colours.
    """
    values = points[colour].astype("str")
    kept = values.value_counts().index[:_MAX_COLOURS].tolist()
    n_rest = values.nunique() - len(kept)
    rest = f"{_REST} ({n_rest})"
    shown = values.where(values.isin(kept), rest)
    names = sorted(kept) + ([rest] if n_rest else [])
    colours = colours_of(names, types) | {rest: NEUTRAL}
    kind = go.Scattergl if len(points) > _SVG_POINTS else go.Scatter
    figure = new_figure(height=560, dragmode="pan", hovermode="closest", legend_itemsizing="constant")
    if pairs is not None and len(pairs):
        figure.add_trace(_joined(kind, pairs))
    modalities = [modality for modality in _SYMBOLS if (points["modality"] == modality).any()]
    for name in names:
        for modality in modalities:
            rows = points[(shown == name) & (points["modality"] == modality)]
            figure.add_trace(
                kind(
                    name=plain(name), legendgroup=plain(name), showlegend=modality == modalities[0], mode="markers",
                    x=rows["x"], y=rows["y"], customdata=rows["point"], text=[plain(text) for text in rows["text"]],
                    marker={"color": colours[name], "symbol": _SYMBOLS[modality], "size": 6, "opacity": 0.9},
                    hovertemplate=f"%{{text}}<br>{plain(name)}, {modality}<extra></extra>",
                )
            )  # fmt: skip
    if len(modalities) > 1:
        for modality in modalities:
            marker = {"color": NEUTRAL, "symbol": _SYMBOLS[modality], "size": 8}
            figure.add_scatter(x=[None], y=[None], mode="markers", name=modality, marker=marker, hoverinfo="skip")
    bare = {"showticklabels": False, "zeroline": False, "showgrid": False, "title_text": ""}
    return figure.update_xaxes(**bare).update_yaxes(**bare, scaleanchor="x", scaleratio=1)


def _joined(kind: type[go.Scatter], pairs: pd.DataFrame) -> go.Scatter:
    # A missing point after each pair lifts the pen.
    x, y = (
        np.column_stack([pairs[f"{axis}_text"], pairs[f"{axis}_image"], np.full(len(pairs), np.nan)]).ravel()
        for axis in "xy"
    )
    line = {"color": NEUTRAL, "width": 0.7}
    return kind(x=x, y=y, mode="lines", line=line, opacity=0.6, name="pair", hoverinfo="skip")

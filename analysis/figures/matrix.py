"""The confusion matrix as a heat map: counts, row shares, or a difference of shares around 0."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import new_figure, plain

Values = Literal["counts", "shares", "difference"]


def confusion_matrix(matrix: pd.DataFrame, values: Values = "counts") -> go.Figure:
    """Draw a matrix of :mod:`analysis.scores.confusion`, gold types down and predicted types across.

    A click on a cell carries its row and column name as ``customdata``. Counts are coloured by their row share, so
    that a rare type's confusions show beside a frequent one's; the number written is the count.

    Args:
        matrix: rows the gold types and "spurious", columns the predicted types and "missed".
        values: what the cells hold.
    """
    cells = matrix.to_numpy(dtype=float)
    if values == "counts":
        totals = cells.sum(axis=1, keepdims=True)
        shade = np.divide(cells, totals, out=np.zeros_like(cells), where=totals > 0)
    else:
        shade = cells
    limit = max(0.05, float(np.nanmax(np.abs(shade), initial=0.0)))
    texts = [[_written(cell, values) for cell in row] for row in cells]
    # Spurious and missed at once is nothing that could be counted.
    texts[-1][-1] = ""
    names = [[[row, column] for column in matrix.columns] for row in matrix.index]
    heat = go.Heatmap(
        z=shade,
        x=[plain(column) for column in matrix.columns],
        y=[plain(row) for row in matrix.index],
        text=texts,
        customdata=names,
        texttemplate="%{text}",
        hovertemplate="gold %{y}, predicted %{x}: %{text}<extra></extra>",
        autocolorscale=True,
        zmin=-limit if values == "difference" else 0,
        zmax=limit if values == "difference" else 1,
        showscale=values == "difference",
        colorbar={"tickformat": "+.0%", "thickness": 10, "len": 0.9},
        xgap=2,
        ygap=2,
    )
    figure = new_figure(height=110 + 44 * len(matrix))
    figure.add_trace(heat)
    figure.update_xaxes(type="category", side="top", title_text="predicted", showgrid=False)
    return figure.update_yaxes(type="category", autorange="reversed", title_text="gold", showgrid=False)


def _written(cell: float, values: Values) -> str:
    if np.isnan(cell):
        return "–"
    if values == "counts":
        return f"{cell:,.0f}"
    percent = round(100 * cell)
    if values == "shares" or not percent:
        return f"{percent}%"
    return f"{percent:+d}%".replace("-", "\u2212")

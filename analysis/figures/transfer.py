"""The transfer matrix as a heat map: training languages down, test languages across, zero-shot cells marked."""

from __future__ import annotations

from typing import Any

import pandas as pd
import plotly.graph_objects as go

from analysis.figures.theme import new_figure, plain


def transfer_matrix(table: pd.DataFrame, rows: str, columns: str, mark: str) -> go.Figure:
    """Draw F1 of every training set on every test set.

    Args:
        table: one row per cell: what it was trained on, what it was tested on, ``f1``, ``low``, ``high`` (0 to 1, or
            missing), and whether it is marked.
        rows: name of the column that goes down.
        columns: name of the column that goes across.
        mark: name of the boolean column whose cells get a dagger, and a hint when pointed at.
    """
    down, across = list(dict.fromkeys(table[rows])), list(dict.fromkeys(table[columns]))
    cells = {(cell[rows], cell[columns]): cell for cell in table.to_dict("records")}
    values = [[_value(cells.get((row, column))) for column in across] for row in down]
    texts = [[_written(cells.get((row, column)), mark) for column in across] for row in down]
    hints = [[_hint(cells.get((row, column)), mark) for column in across] for row in down]
    heat = go.Heatmap(
        z=values,
        x=[plain(column) for column in across],
        y=[plain(row) for row in down],
        text=texts,
        customdata=hints,
        texttemplate="%{text}",
        hovertemplate=f"{plain(rows)} %{{y}}, {plain(columns)} %{{x}}: %{{customdata}}<extra></extra>",
        autocolorscale=True,
        zmin=0,
        zmax=1,
        colorbar={"tickformat": ".0%", "thickness": 10, "len": 0.9, "title": {"text": "F1"}},
        xgap=2,
        ygap=2,
    )
    figure = new_figure(height=120 + 40 * len(down))
    figure.add_trace(heat)
    figure.update_xaxes(type="category", side="top", title_text=plain(columns), showgrid=False)
    return figure.update_yaxes(type="category", autorange="reversed", title_text=plain(rows), showgrid=False)


def _value(cell: dict[Any, Any] | None) -> float | None:
    return None if cell is None or pd.isna(cell["f1"]) else float(cell["f1"])


def _written(cell: dict[Any, Any] | None, mark: str) -> str:
    value = _value(cell)
    if cell is None or value is None:
        return "–"
    return f"{100 * value:.1f}{' †' if cell[mark] else ''}"


def _hint(cell: dict[Any, Any] | None, mark: str) -> str:
    value = _value(cell)
    if cell is None or value is None:
        return "not defined"
    text = f"F1 {100 * value:.1f}"
    if not pd.isna(cell["low"]):
        text += f" ({100 * float(cell['low']):.1f} to {100 * float(cell['high']):.1f})"
    return text + (", zero-shot" if cell[mark] else "")

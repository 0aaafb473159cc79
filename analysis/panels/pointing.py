"""The panels on where heat maps point: at the right photo of several, and into annotated boxes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.heat_maps.mosaic_plan import ONE_TYPE, SAME_PHOTO
from analysis.panels.panel import Content, panel
from analysis.panels.stored import optional_table, stored_table
from analysis.panels.wording import counted, number, with_interval

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from analysis.run.folder import EvaluationRun

_REMEDY = "write it from a checkpoint and data with photos"


@panel(
    "mosaics",
    "Does it point at the right photo?",
    "Photos of different types share one image, and a map should be hottest on the photo of the name that is asked "
    "for; the same photo twice must give chance, two photos of one type are near it, and 'swap' says how often both "
    "names of a pair are answered by their own photo (chance 0.25).",
    chapter="Heat maps",
    height=560,
)
def mosaics(run: EvaluationRun) -> Content:
    """Show pointing accuracy per layout, method and type, beside chance and the controls."""
    table = stored_table(run, "mosaics", "mosaics", _REMEDY)
    overall = table[table["type"] == "all"]
    headings = [
        f"{layout}, chance {number(chance, 2)}"
        for layout, chance in zip(overall["layout"], overall["chance"], strict=True)
    ]
    shown = [f"{row['layout']}, {row['method']}: {with_interval(row, 'hit')}" for _, row in overall.iterrows()]
    columns = ["layout", "method", "type", "hit", "low", "high", "chance", "swap", "mass", "n"]
    return Content(
        table=table[columns],
        figure=_dots(overall, headings, overall["method"].tolist()),
        alternative=f"Dots of the share of hits per layout and method. {'; '.join(shown)}.",
        rule="hit: the hottest cell lies in the right part; intervals over sentences; every arrangement and its mirror "
        f"image; '{SAME_PHOTO}' and '{ONE_TYPE}' are the controls; types are told apart, not persons or brands",
        n=f"up to {counted(int(table['n'].max()), 'sentence')} per row",
        notes=_left_out(run, "mosaics_left_out"),
    )


@panel(
    "boxes",
    "Does it point into the box?",
    "Photos with boxes around what is named: how often a map's hottest cell lies in one; chance is the share of the "
    "cells that do.",
)
def boxes(run: EvaluationRun) -> Content:
    """Show pointing accuracy per method and type, beside chance."""
    table = stored_table(run, "boxes", "photos with boxes", "write it with --boxes, or use python -m analysis point")
    labels = [f"{row['type']}, chance {number(row['chance'], 2)}" for _, row in table.iterrows()]
    overall = table[table["type"] == "all"]
    shown = [f"{row['method']} {with_interval(row, 'hit')}" for _, row in overall.iterrows()]
    return Content(
        table=table[["method", "type", "hit", "low", "high", "chance", "mass", "n"]],
        figure=_dots(table, table["method"].tolist(), labels),
        alternative=f"Dots of the share of hits per method and type. Over all: {'; '.join(shown)}.",
        rule="hit: the hottest cell lies in a box; mass: share of the map there; intervals over photos",
        n=counted(int(table["n"].max()), "box row"),
        notes=_left_out(run, "boxes_left_out"),
    )


@panel(
    "pointing",
    "Two photos, by language",
    "Two photos side by side, the name belongs to one: how often a map's hottest cell lies in the right half, where "
    "0.5 is chance; a hollow dot rests on too few photos for an interval.",
)
def pointing(run: EvaluationRun) -> Content:
    """Show pointing accuracy and the share of the map in the right half, per method and language."""
    table = stored_table(run, "pointing", "a pointing game", _REMEDY)
    hits = table[table["quantity"] == "hit"].rename(columns={"value": "hit"})
    overall = hits[hits["language"] == "all"]
    parts = [f"{row['method']} {with_interval(row, 'hit')}" for _, row in overall.iterrows()]
    return Content(
        table=table,
        figure=_dots(hits, hits["method"].tolist(), hits["language"].tolist(), 0.5),
        alternative=f"Dots of pointing accuracy per method and language; chance is 0.5. Over all: {'; '.join(parts)}.",
        rule="hit: the hottest cell lies in the right half; mass: share of the map there; intervals over sentences",
        n=counted(int(table["n"].max()), "showing"),
    )


def _dots(table: pd.DataFrame, headings: list[str], labels: list[str], chance: float | None = None) -> go.Figure:
    """Draw the hits of a table, one row each, under headings."""
    from analysis.figures import slice_dots

    drawn = table.assign(heading=headings, label=labels, f1=table["hit"], n_gold=table["n"])
    figure = slice_dots(drawn, chance).update_xaxes(title_text="share of hits")
    return figure.update_traces(hovertemplate="%{customdata[0]}: %{x:.3f}<br>n = %{customdata[1]}<extra></extra>")


def _left_out(run: EvaluationRun, key: str) -> tuple[str, ...]:
    table = optional_table(run, key)
    if table is None:
        return ()
    return (f"Left out: {'; '.join(f'{n:,} {what}' for what, n in zip(table['what'], table['n'], strict=True))}.",)

"""Do heat maps show what answers rest on? Deletion and insertion tests, and the pointing game."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.attribution import RANDOM_MODEL
from analysis.panels.panel import Content, panel
from analysis.panels.stored import optional_table, stored_table
from analysis.panels.wording import counted, number, with_interval

if TYPE_CHECKING:
    from analysis.runs import Run

PASSED, CHANCE_TO_PASS = "better_than_chance", 0.05
_REMEDY = "write it from a checkpoint and data with photos"


@panel(
    "honesty",
    "Are the heat maps honest?",
    "Greying the hottest cells first should lower the probability faster, and showing them first raise it faster, than "
    "random orders do (the grey band); a map inside the band says nothing about the answer.",
)
def honesty(run: Run) -> Content:
    """Show deletion and insertion of each kind of map against random orders, with a verdict each."""
    from analysis.figures import deletion_curves

    table = stored_table(run, "maps", "tests of its heat maps", _REMEDY)
    curves = optional_table(run, "map_curves")
    passed = table[(table["quantity"] == PASSED) & ~table["method"].str.endswith(RANDOM_MODEL)]
    verdicts = tuple(_verdict(row) for _, row in passed.iterrows())
    return Content(
        table=table.assign(quantity=table["quantity"].str.replace("_", " ")),
        figure=None if curves is None or curves.empty else deletion_curves(curves),
        alternative="" if curves is None or curves.empty else "Curves of the mean probability. " + " ".join(verdicts),
        rule="mean over entities; gain: area by which a map beats its random orders, 0 is chance",
        n=counted(int(table["n"].max()), "entity", "entities"),
        notes=(*verdicts, *_similarity(run)),
        badges=tuple(f"{row['method']}: no better than chance" for _, row in passed.iterrows() if _is_chance(row)),
        drawn=curves,
    )


def chance_badge(run: Run, method: str) -> str:
    """Return the warning to show beside a heat map whose kind did no better than chance in a run, else ""."""
    table = optional_table(run, "maps")
    if table is None:
        return ""
    for _, row in table[(table["quantity"] == PASSED) & (table["method"] == method)].iterrows():
        if _is_chance(row):
            return f"no better than chance: {row['value']:.0%} of {row['n']} such maps pass the deletion test"
    return ""


def _is_chance(row: pd.Series) -> bool:
    return bool(row["low"] <= CHANCE_TO_PASS)


def _similarity(run: Run) -> tuple[str, ...]:
    """Say how like the maps are to those of a model that has learnt nothing."""
    table = optional_table(run, "map_similarity")
    if table is None:
        return ()
    parts = [f"{row['method']} {with_interval(row, 'value')}" for _, row in table.iterrows()]
    return (f"Rank correlation with the map of a randomly initialised model (1: the same map): {'; '.join(parts)}.",)


def _verdict(row: pd.Series) -> str:
    """Say of a method whether its maps pass more often than random ones, which pass 1 time in 20."""
    if pd.isna(row["value"]):
        return f"{row['method']}: no map was tested."
    if pd.isna(row["low"]):
        return f"{row['method']}: {number(row['value'], 2)} of the maps pass; too few for a verdict (n = {row['n']})."
    better = "no better than chance" if _is_chance(row) else "better than chance"
    return (
        f"{row['method']}: {better}; {with_interval(row, 'value')} of the maps pass, {CHANCE_TO_PASS} would by chance."
    )


@panel(
    "pointing",
    "The pointing game",
    "Two photos side by side, the name belongs to one: how often a map's hottest cell lies in the right half, where "
    "0.5 is chance; a hollow dot rests on too few photos for an interval.",
)
def pointing(run: Run) -> Content:
    """Show pointing accuracy and the share of the map in the right half, per method and language."""
    from analysis.figures import slice_dots

    table = stored_table(run, "pointing", "a pointing game", _REMEDY)
    hits = table[table["quantity"] == "hit"]
    dots = hits.assign(heading=hits["method"], label=hits["language"], f1=hits["value"], n_gold=hits["n"])
    overall = hits[hits["language"] == "all"]
    parts = [f"{row['method']} {with_interval(row, 'value')}" for _, row in overall.iterrows()]
    figure = slice_dots(dots, 0.5).update_xaxes(title_text="share of hits")
    return Content(
        table=table,
        figure=figure,
        alternative=f"Dots of pointing accuracy per method and language; chance is 0.5. Over all: {'; '.join(parts)}.",
        rule="hit: the hottest cell lies in the right half; mass: share of the map there; intervals over sentences",
        n=counted(int(table["n"].max()), "showing"),
    )

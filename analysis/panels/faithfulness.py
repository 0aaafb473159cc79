"""The panel on faithfulness: do heat maps show what answers rest on? Deletion and insertion tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.heat_maps.attribution import RANDOM_MODEL
from analysis.panels.panel import Content, panel
from analysis.panels.stored import optional_table, stored_table
from analysis.panels.wording import counted, number, with_interval
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

PASSED, CHANCE_TO_PASS = "better_than_chance", 0.05
_REMEDY = "write it from a checkpoint and data with photos"
_GREY = (
    "This run is of an earlier version: it covered cells with even grey, which is like no photo, and tested names "
    "whether their photo mattered or not."
)


@panel(
    "faithfulness",
    "Are the heat maps faithful?",
    "Covering the hottest cells first, with those of another photo, should lower the probability faster, and showing "
    "them first raise it faster, than random orders do (the grey band); a map inside the band says nothing about the "
    "answer. Only names that the photo decides about are tested, for elsewhere there is nothing to show.",
    height=560,
)
def faithfulness(run: EvaluationRun) -> Content:
    """Show deletion and insertion of each kind of map against random orders, with a verdict each."""
    from analysis.figures import deletion_curves

    sample = optional_table(run, "map_sample")
    if sample is not None and not sample["tested"].iloc[0]:
        raise InputError(f"No heat map was tested. {_drawn(sample)}")
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
        notes=(*verdicts, *_similarity(run), _GREY if sample is None else _drawn(sample)),
        badges=tuple(f"{row['method']}: no better than chance" for _, row in passed.iterrows() if _is_chance(row)),
        figure_data=curves,
    )


def chance_badge(run: EvaluationRun, method: str) -> str:
    """Return the warning to show beside a heat map of a kind that did no better than chance in a run, else ""."""
    table = optional_table(run, "maps")
    if table is None:
        return ""
    for _, row in table[(table["quantity"] == PASSED) & (table["method"] == method)].iterrows():
        if _is_chance(row):
            return f"no better than chance: {row['value']:.0%} of {row['n']} such maps pass the deletion test"
    return ""


def _drawn(sample: pd.DataFrame) -> str:
    """State for how many names the photo mattered."""
    row = sample.iloc[0]
    return (
        f"The photo raises the probability of a type by {row['matters']:g} or more for {int(row['tested'])} of the "
        f"{counted(int(row['looked_at']), 'name')} looked at; each is followed as that type."
    )


def _is_chance(row: pd.Series) -> bool:
    return bool(row["low"] <= CHANCE_TO_PASS)


def _similarity(run: EvaluationRun) -> tuple[str, ...]:
    """State how similar the maps are to those of an untrained model."""
    table = optional_table(run, "map_similarity")
    if table is None:
        return ()
    parts = [f"{row['method']} {with_interval(row, 'value')}" for _, row in table.iterrows()]
    return (f"Rank correlation with the map of a randomly initialised model (1: the same map): {'; '.join(parts)}.",)


def _verdict(row: pd.Series) -> str:
    """State whether a method's maps pass more often than random ones, which pass 1 time in 20."""
    if pd.isna(row["value"]):
        return f"{row['method']}: no map was tested."
    if pd.isna(row["low"]):
        return f"{row['method']}: {number(row['value'], 2)} of the maps pass; too few for a verdict (n = {row['n']})."
    better = "no better than chance" if _is_chance(row) else "better than chance"
    return (
        f"{row['method']}: {better}; {with_interval(row, 'value')} of the maps pass, {CHANCE_TO_PASS} would by chance."
    )

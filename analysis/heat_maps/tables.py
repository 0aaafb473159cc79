"""Tables of the pointing games, as JSON-ready rows: means with intervals over sentences or photos."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from analysis.scores.breakdowns import by_part
from analysis.scores.estimate import mean_estimate

_CHANCE_OF_TWO = 0.5


def box_table(results: pd.DataFrame, *, seed: int = 0) -> list[dict[str, Any]]:
    """Summarise :func:`analysis.heat_maps.box_game.play_boxes`: one row per ``method`` and ``type``, "all" among them.

    ``hit`` with ``low`` and ``high`` (photos resampled whole), ``chance``, ``mass``, and ``n`` rows of the data.
    """
    return [
        {"method": method, "type": kind} | _hit(part, "image", seed) | _means(part, "chance", "mass") | {"n": len(part)}
        for method, of_method in _grouped(results, "method")
        for kind, mask in by_part(of_method["type"])
        for part in (of_method[mask],)
    ]


def mosaic_table(results: pd.DataFrame, *, seed: int = 0) -> list[dict[str, Any]]:
    """Summarise :func:`analysis.heat_maps.mosaic_game.play_mosaics`: one row per ``layout``, ``method`` and ``type``.

    ``hit`` with ``low`` and ``high`` (sentences resampled whole), ``chance``, ``mass``, ``swap`` (None where it is not
    defined; its chance is 0.25), and ``n`` sentences.
    """
    return [
        {"layout": layout, "method": method, "type": kind}
        | _hit(part, "sentence", seed)
        | _means(part, "chance", "mass", "swap")
        | {"n": int(part["sentence"].nunique())}
        for layout, of_layout in _grouped(results, "layout")
        for method, of_method in _grouped(of_layout, "method")
        for kind, mask in by_part(of_method["type"])
        for part in (of_method[mask],)
    ]


def pointing_table(results: pd.DataFrame, *, seed: int = 0) -> list[dict[str, Any]]:
    """Summarise the mosaics of two photos per language: one row per ``method``, ``language`` and ``quantity``.

    Quantities "hit" and "mass": ``value``, ``low``, ``high``, ``n`` showings, ``chance``. The form that runs hold.
    """
    two = results[results["layout"] == "two"]
    rows = []
    for method, of_method in _grouped(two, "method"):
        for language, mask in by_part(of_method["language"]):
            part = of_method[mask]
            for quantity in ("hit", "mass"):
                estimate = mean_estimate(part[quantity].to_numpy(), clusters=part["sentence"].to_numpy(), seed=seed)
                row = {"method": method, "language": language, "quantity": quantity}
                rows.append(row | estimate.to_row() | {"chance": _CHANCE_OF_TWO})
    return rows


def _grouped(results: pd.DataFrame, column: str) -> list[tuple[str, pd.DataFrame]]:
    return [(str(name), results[results[column] == name]) for name in results[column].unique()]


def _hit(part: pd.DataFrame, cluster: str, seed: int) -> dict[str, Any]:
    estimate = mean_estimate(part["hit"].to_numpy(float), clusters=part[cluster].to_numpy(), seed=seed).to_row()
    return {"hit": estimate["value"], "low": estimate["low"], "high": estimate["high"]}


def _means(part: pd.DataFrame, *columns: str) -> dict[str, float | None]:
    means = {column: part[column].to_numpy(float).mean() for column in columns}
    return {column: None if np.isnan(value) else float(value) for column, value in means.items()}

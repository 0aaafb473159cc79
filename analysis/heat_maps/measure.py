"""Measures where a model's heat maps point, for the command ``point`` and for evaluation runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from analysis.heat_maps.box_game import play_boxes
from analysis.heat_maps.boxes import BoxRows
from analysis.heat_maps.mosaic_game import play_mosaics
from analysis.heat_maps.mosaic_plan import MosaicPlan
from analysis.heat_maps.pointing_maps import HeatMapper, HeatMaps, heat_maps
from analysis.heat_maps.tables import box_table, mosaic_table, pointing_table

if TYPE_CHECKING:
    from analysis.heat_maps.explainer import ModelExplainer

Progress = Callable[[], object]


def all_maps(
    explainer: ModelExplainer, *, convention: str | None = None, occlusion: bool = False, seed: int = 0
) -> HeatMaps:
    """Return a function that makes every kind of map of a model, including that of its random twin.

    Args:
        explainer: the model.
        convention: annotation convention to read by.
        occlusion: make these maps too; slow.
        seed: of the twin.

    Raises:
        InputError: if the model has no map.
    """
    mapper = HeatMapper(explainer, convention, occlusion=occlusion)
    return heat_maps(mapper, HeatMapper(explainer.random_twin(seed), convention))


def measure_boxes(
    explainer: ModelExplainer, rows: BoxRows, maps: HeatMaps, *, seed: int = 0, progress: Progress = lambda: None
) -> dict[str, Any]:
    """Return rows under ``boxes`` (:func:`box_table`), ``boxes_left_out``, and ``boxes_outside``, where those stand."""
    results, broken, outside = play_boxes(rows.rows, maps, explainer.open, progress)
    return {
        "boxes": box_table(results, seed=seed),
        "boxes_left_out": _counts(rows.left_out + broken),
        "boxes_outside": [{"where": where} for where in outside],
    }


def measure_mosaics(
    explainer: ModelExplainer, plan: MosaicPlan, maps: HeatMaps, *, seed: int = 0, progress: Progress = lambda: None
) -> dict[str, Any]:
    """Return rows of ``mosaics`` (:func:`mosaic_table`), ``pointing`` (:func:`pointing_table`), ``mosaics_left_out``.

    Tables without any row are empty: no sentence was fit, or no photo could be read.
    """
    results, broken = play_mosaics(plan.groups, maps, explainer.open, progress)
    return {
        "mosaics": mosaic_table(results, seed=seed),
        "pointing": pointing_table(results, seed=seed),
        "mosaics_left_out": _counts(plan.left_out + broken),
    }


def _counts(left_out: Counter[str]) -> list[dict[str, Any]]:
    return [{"what": what, "n": n} for what, n in left_out.items() if n]

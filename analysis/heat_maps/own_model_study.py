"""Measures the heat maps of a model of your own by its answers alone: deletion tests, mosaics and boxes.

An answer may take the model long, so these tests ask less than those of a checkpoint: coarser cells, fewer steps and
random orders, and occlusion only on mosaics of two photos.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.heat_maps.attribution import MapTest, check_maps
from analysis.heat_maps.box_game import play_boxes
from analysis.heat_maps.mosaic_game import play_mosaics
from analysis.heat_maps.mosaic_plan import ONE_TYPE, SAME_PHOTO, MosaicPlan
from analysis.heat_maps.own_model_maps import MODEL, OwnExplainer, on_grid, own_heat_maps
from analysis.heat_maps.pointing_maps import OCCLUSION
from analysis.heat_maps.sample import MATTERS, Case, CaseSample
from analysis.heat_maps.study import faithfulness_rows, verdict_rows
from analysis.heat_maps.tables import box_table, mosaic_table, pointing_table
from analysis.own_model.interface import Item
from mmner_core.labels import Entity

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from analysis.heat_maps.boxes import BoxRows
    from mmner_core.data import Example

STEPS, RANDOM_ORDERS = 5, 19
OCCLUDED_SENTENCES = 12
"""Sentences whose mosaics are tested by occlusion, at most."""
_OCCLUDED_LAYOUTS = ("two", SAME_PHOTO, ONE_TYPE)
UNFOUND = "maps of names that the model did not find, which count as even"
Open = Callable[["Path | None"], "Image | None"]


def delete_and_insert(
    explainer: OwnExplainer,
    examples: Sequence[Example],
    open_image: Open,
    n: int,
    *,
    types: Sequence[str],
    seed: int = 0,
    matters: float = MATTERS,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Delete and insert cells by the order of each map and of random orders, as :mod:`analysis.heat_maps.study` does.

    Args:
        explainer: of the model.
        examples: sentences with gold tags.
        open_image: reads a photo; None for one that cannot be decoded.
        n: how many gold entities to test, at most.
        types: those that a name may be taken for.
        seed: of the sample, the photos that cover others, and the random orders.
        matters: test a name if the photo raises the probability of a type by at least so much.
        progress: called after each entity.

    Returns:
        Rows under ``maps``, ``map_curves``, ``map_verdicts`` and ``map_sample``, as
        :func:`analysis.heat_maps.study.heat_map_faithfulness` has them; there is no model with random weights beside.
    """

    def decide(i: int, name: Entity, photo: Image, other: Image) -> Case[Image] | None:
        readings = [Entity(name.start, name.end, kind) for kind in types]
        items = [replace(_item(examples[i]), image=image) for image in (photo, None)]
        beside, alone = explainer.probabilities(items, readings)
        best = int((beside - alone).argmax())
        return Case(i, readings[best], photo, other) if beside[best] - alone[best] >= matters else None

    sample = CaseSample(examples, open_image, decide, wanted=n, seed=seed)
    tests: list[dict[str, MapTest]] = []
    clusters, verdicts = [], []
    for i, entity, photo, other in sample.cases():
        test = _test(explainer, _item(examples[i]), entity, photo, other, seed)
        tests.append(test)
        clusters.append(i)
        verdicts += verdict_rows(i, entity, test)
        progress()
    return faithfulness_rows(sample, matters, tests, clusters, verdicts)


def point_at_mosaics(
    explainer: OwnExplainer,
    plan: MosaicPlan,
    occluded: MosaicPlan,
    open_image: Open,
    *,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Play the pointing game on mosaics.

    Args:
        explainer: of the model.
        plan: mosaics for the model's own maps.
        occluded: mosaics for occlusion.
        open_image: reads a photo; None for one that cannot be decoded.
        seed: of the intervals.
        progress: called after each mosaic.

    Returns:
        Rows under ``mosaics``, ``pointing`` and ``mosaics_left_out``, as
        :func:`analysis.heat_maps.measure.measure_mosaics` has them.
    """
    languages = {s.words: s.language for one in (plan, occluded) for group in one.groups for s in group.subjects}
    blind = OwnExplainer(explainer.answers, own_maps=False)
    games = [(occluded, own_heat_maps(blind, occlusion=True, languages=languages))]
    if explainer.own_maps:
        games.insert(0, (plan, own_heat_maps(explainer, occlusion=False, languages=languages)))
    frames, before = [], explainer.unfound
    left_out = dict(games[0][0].left_out)
    for game, maps in games:
        results, broken = play_mosaics(game.groups, maps, open_image, progress)
        frames.append(results)
        left_out |= broken
    results = pd.concat(frames, ignore_index=True)
    left_out[UNFOUND] = explainer.unfound - before
    return {
        "mosaics": mosaic_table(results, seed=seed),
        "pointing": pointing_table(results, seed=seed),
        "mosaics_left_out": [{"what": what, "n": n} for what, n in left_out.items() if n],
    }


def point_at_boxes(
    explainer: OwnExplainer,
    rows: BoxRows,
    open_image: Open,
    *,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Play the pointing game on boxes; returns what :func:`analysis.heat_maps.measure.measure_boxes` does."""
    before = explainer.unfound
    results, broken, outside = play_boxes(rows.rows, own_heat_maps(explainer, occlusion=True), open_image, progress)
    left_out = {**(rows.left_out + broken), UNFOUND: explainer.unfound - before}
    return {
        "boxes": box_table(results, seed=seed),
        "boxes_left_out": [{"what": what, "n": n} for what, n in left_out.items() if n],
        "boxes_outside": [{"where": where} for where in outside],
    }


def for_occlusion(plan: MosaicPlan) -> MosaicPlan:
    """Return the groups of a plan that occlusion is tested on."""
    return MosaicPlan(tuple(group for group in plan.groups if group.name in _OCCLUDED_LAYOUTS), plan.left_out)


def _test(
    explainer: OwnExplainer, item: Item, entity: Entity, photo: Image, other: Image, seed: int
) -> dict[str, MapTest]:
    maps = {OCCLUSION: explainer.occlusion(item, photo, entity, other)}
    if explainer.own_maps:
        maps = {MODEL: on_grid(explainer.own_map(item, photo, entity))} | maps
    return check_maps(
        lambda visible: explainer.covered(item, photo, entity, visible, other),
        maps,
        steps=STEPS,
        random_orders=RANDOM_ORDERS,
        seed=seed,
    )


def _item(example: Example) -> Item:
    return Item(example.words, language=example.language or "")

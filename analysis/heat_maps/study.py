"""Tests the faithfulness of heat maps on a sample of a run's sentences: do they show what the answer rests on?

Where the photo changes nothing there is nothing to explain, so only names whose probability it changes are tested.
Shapes: G = rows x columns cells of the photo.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.heat_maps.attribution import RANDOM_MODEL, RANDOM_ORDER, MapTest, check_maps, map_table, rank_correlation
from analysis.heat_maps.pointing_maps import HeatMapper
from analysis.heat_maps.sample import MATTERS, Case, CaseSample
from analysis.run.json_rows import to_records
from analysis.scores.estimate import mean_estimate
from mmner_core.labels import Entity

if TYPE_CHECKING:
    from PIL import Image

    from analysis.heat_maps.explainer import ModelExplainer
    from mmner_core.data import Example
    from mmner_core.text.encoding import Pixels


def _decided(
    mapper: HeatMapper, examples: Sequence[Example], matters: float
) -> Callable[[int, Entity, Image.Image, Image.Image], Case[Pixels] | None]:
    """Return a function that makes a case of a name whose photo raises a type's probability by at least ``matters``."""
    explainer = mapper.explainer

    def decide(i: int, name: Entity, photo: Image.Image, other: Image.Image) -> Case[Pixels] | None:
        readings = [Entity(name.start, name.end, kind) for kind in explainer.model.labels.types]
        scene = mapper.scene(examples[i].words, explainer.look(photo))
        rises = explainer.probability(scene, readings) - explainer.probability(scene, readings, streams=())
        best = int(rises.argmax())
        return Case(i, readings[best], photo, explainer.look(other).pixels) if rises[best] >= matters else None

    return decide


def heat_map_faithfulness(
    explainer: ModelExplainer,
    examples: Sequence[Example],
    n: int,
    *,
    convention: str | None = None,
    seed: int = 0,
    matters: float = MATTERS,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Delete and insert cells by the order of each map, of random orders, and of a randomly initialised model's maps.

    Hidden cells are replaced by those of another photo, fixed for each name and illustrating another type: even grey
    is like no photo that the model has ever seen, so what it answers to that says little (Hooker et al., NeurIPS 2019).
    A name is followed as the type whose probability its photo raises most, right or wrong: that is what the photo says,
    and what its maps have to explain.

    Args:
        explainer: the model.
        examples: sentences with gold tags.
        n: how many gold entities to test, at most.
        convention: annotation convention to read by.
        seed: of the sample, the other images, the random orders and the random model.
        matters: test a name if the photo raises that probability by at least so much.
        progress: called after each entity.

    Returns:
        Rows under ``maps`` (:func:`analysis.heat_maps.attribution.map_table`), ``map_curves`` (:func:`mean_curves`),
        ``map_similarity`` (rank correlation of each method's map with that of the random model), and
        ``map_verdicts``, one per entity and method; all missing where the photo matters for no name. ``map_sample`` has
        one row: names ``looked_at`` and ``tested``, and ``matters``. Empty where no entity has a photo.

    Raises:
        InputError: if the model has no map, or a sentence no gold tags.
    """
    own = HeatMapper(explainer, convention, occlusion=True)
    twin = HeatMapper(explainer.random_twin(seed), convention, occlusion=True)
    sample = CaseSample(examples, explainer.open, _decided(own, examples, matters), wanted=n, seed=seed)
    tests: list[dict[str, MapTest]] = []
    clusters, similarity, verdicts = [], [], []
    for i, entity, photo, filler in sample.cases():
        words = examples[i].words
        maps, random_maps = (_alike(mapper, words, entity, photo, filler) for mapper in (own, twin))
        both = maps | {name + RANDOM_MODEL: heat for name, heat in random_maps.items()}
        scene = own.scene(words, explainer.look(photo))
        test = check_maps(explainer.cell_score(scene, entity, filler), both, seed=seed)
        tests.append(test)
        clusters.append(i)
        similarity += [
            {"sentence_id": i, "method": name, "value": rank_correlation(heat, random_maps[name])}
            for name, heat in maps.items()
        ]
        verdicts += verdict_rows(i, entity, {name: test[name] for name in maps})
        progress()
    found = faithfulness_rows(sample, matters, tests, clusters, verdicts)
    return found | {"map_similarity": _means(pd.DataFrame(similarity))} if tests else found


def verdict_rows(sentence_id: int, entity: Entity, test: Mapping[str, MapTest]) -> list[dict[str, Any]]:
    """Return the rows of one entity under ``map_verdicts``, one per method."""
    named = {"sentence_id": sentence_id, "start": entity.start, "end": entity.end, "type": entity.type}
    return [
        named | {"method": name, "passes": one.better_than_chance, "verdict": one.verdict()}
        for name, one in test.items()
    ]


def faithfulness_rows(
    sample: CaseSample[Any],
    matters: float,
    tests: Sequence[Mapping[str, MapTest]],
    clusters: Sequence[int],
    verdicts: list[dict[str, Any]],
) -> dict[str, Any]:
    """Return the rows of a faithfulness study: its sample, and the tests if there are any.

    Args:
        sample: the sample, drawn.
        matters: by how much a photo had to raise a probability.
        tests: per entity, of each method.
        clusters: the sentence of each entity.
        verdicts: rows of :func:`verdict_rows`.
    """
    facts = {"map_sample": [{"looked_at": sample.looked_at, "tested": sample.tested, "matters": matters}]}
    if not tests:
        return facts if sample.looked_at else {}
    return facts | {
        "maps": to_records(map_table(tests, clusters)),
        "map_curves": mean_curves(tests),
        "map_verdicts": verdicts,
    }


def _alike(
    mapper: HeatMapper, words: Sequence[str], entity: Entity, photo: Image.Image, filler: Pixels
) -> dict[str, np.ndarray]:
    """Return the maps on the grid of the first, since cells of two sizes cannot be hidden in one order."""
    sight = mapper.explainer.look(photo)
    heats = mapper.maps(mapper.scene(words, sight), entity, mapper.occluded(sight, filler))
    grid = next(iter(heats.values())).cells.shape
    return {method: heat.cells for method, heat in heats.items() if heat.cells.shape == grid}


def mean_curves(tests: Sequence[Mapping[str, MapTest]]) -> list[dict[str, Any]]:
    """Return mean deletion and insertion curves: kind, method, share, value, low, high.

    Of a method the interval is that of the mean over entities; of the random orders it holds 95 % of the R mean curves.
    """
    rows: list[dict[str, Any]] = []
    for kind in ("deletion", "insertion"):
        for method in tests[0]:
            curves = [getattr(test[method], kind) for test in tests]
            for k, share in enumerate(curves[0].share):
                estimate = mean_estimate(np.array([curve.probability[k] for curve in curves])).to_row()
                rows.append({"kind": kind, "method": method, "share": float(share), **estimate})
        first = [next(iter(test.values())) for test in tests]
        random = np.mean([getattr(test, f"random_{kind}") for test in first], axis=0)  # [R, K]
        low, high = np.quantile(random, [0.025, 0.975], axis=0)
        for k, share in enumerate(first[0].deletion.share):
            rows.append({"kind": kind, "method": RANDOM_ORDER, "share": float(share), "n": len(tests)})
            rows[-1] |= {"value": float(random[:, k].mean()), "low": float(low[k]), "high": float(high[k])}
    return rows


def _means(frame: pd.DataFrame) -> list[dict[str, Any]]:
    rows: Mapping[Any, pd.DataFrame] = dict(tuple(frame.dropna().groupby("method", sort=False)))
    return [{"method": name} | mean_estimate(part["value"].to_numpy(float)).to_row() for name, part in rows.items()]

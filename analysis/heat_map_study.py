"""Put heat maps on trial on a sample of a run's sentences: honesty against chance, and the pointing game.

Shapes: G = rows x columns cells of the photo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.attribution import (
    RANDOM_MODEL,
    RANDOM_ORDER,
    MapTest,
    check_maps,
    map_table,
    occlusion_map,
    rank_correlation,
)
from analysis.estimate import mean_estimate
from analysis.pointing import plan_paste_tests, play, pointing_table
from analysis.records import to_records
from mmner_core.data.images import open_image
from mmner_core.errors import InputError
from mmner_core.labels import Entity, tags_to_entities
from mmner_core.preprocess import decode_size

if TYPE_CHECKING:
    from PIL import Image

    from analysis.probe import Probe, Scene
    from mmner_core.data import Example


@dataclass(frozen=True, slots=True)
class HeatMapper:
    """Makes every kind of heat map of an entity.

    Attributes:
        probe: the model.
        convention: annotation convention to read by.
    """

    probe: Probe
    convention: str | None = None

    def scene(self, words: Sequence[str], photo: Image.Image) -> Scene:
        """Encode a sentence and a photo."""
        return self.probe.scene(words, photo, convention=self.convention)

    def maps(self, scene: Scene, entity: Entity) -> dict[str, np.ndarray]:
        """Return attention and gradient-weighted attention per stream that has cells, and occlusion.

        A method is named for its stream where there are several. Streams with another grid than the first are left
        out, since cells of two sizes cannot be hidden in one order.
        """
        grid = next(iter(self.probe.grids.values()))
        streams = [stream for stream, cells in self.probe.grids.items() if cells == grid]
        found = {"attention": self.probe.attention(scene, entity)}
        found["gradient"] = self.probe.weighted_attention(scene, entity)
        named = {
            method if len(streams) == 1 else f"{method}/{stream}": by_stream[stream]
            for method, by_stream in found.items()
            for stream in streams
        }
        return named | {"occlusion": occlusion_map(self.probe.cell_score(scene, entity), grid)}

    def of_picture(self, words: Sequence[str], photo: Image.Image, entity: Entity) -> dict[str, np.ndarray]:
        """Return the maps of one entity in one picture."""
        return self.maps(self.scene(words, photo), entity)


def heat_map_honesty(
    probe: Probe,
    examples: Sequence[Example],
    n: int,
    *,
    convention: str | None = None,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Delete and insert cells by the order of each map, of random orders, and of a randomly initialised model's maps.

    Args:
        probe: the model.
        examples: sentences with gold tags.
        n: how many gold entities with a photo to draw.
        convention: annotation convention to read by.
        seed: of the sample, the random orders and the random model.
        progress: called after each entity.

    Returns:
        Rows under ``maps`` (:func:`analysis.attribution.map_table`), ``map_curves`` (:func:`_mean_curves`),
        ``map_similarity`` (rank correlation of each method's map with that of the random model), and
        ``map_verdicts``, one per entity and method. Empty where no entity has a photo.
    """
    own, twin = HeatMapper(probe, convention), HeatMapper(probe.random_twin(seed), convention)
    tests: list[dict[str, MapTest]] = []
    clusters, similarity, verdicts = [], [], []
    for i, entity, photo in _entities_with_photo(examples, n, probe, seed):
        scene = own.scene(examples[i].words, photo)
        maps = own.maps(scene, entity)
        random_maps = twin.maps(twin.scene(examples[i].words, photo), entity)
        both = maps | {name + RANDOM_MODEL: heat for name, heat in random_maps.items()}
        test = check_maps(probe.cell_score(scene, entity), both, seed=seed)
        tests.append(test)
        clusters.append(i)
        similarity += [
            {"sentence_id": i, "method": name, "value": rank_correlation(heat, random_maps[name])}
            for name, heat in maps.items()
        ]
        verdicts += [
            {"sentence_id": i, "start": entity.start, "end": entity.end, "type": entity.type, "method": name}
            | {"passes": one.better_than_chance, "verdict": one.verdict()}
            for name, one in test.items()
            if name in maps
        ]
        progress()
    if not tests:
        return {}
    return {
        "maps": to_records(map_table(tests, clusters)),
        "map_curves": _mean_curves(tests),
        "map_similarity": _means(pd.DataFrame(similarity)),
        "map_verdicts": verdicts,
    }


def pointing_game(
    probe: Probe,
    examples: Sequence[Example],
    n: int,
    *,
    convention: str | None = None,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Play the pointing game with ``n`` sentences, each shown both ways round.

    Returns:
        Rows under ``pointing`` (:func:`analysis.pointing.pointing_table`). Empty where no sentence is fit for it.
    """
    mapper = HeatMapper(probe, convention)
    results = []
    for test in plan_paste_tests(examples, limit=n, seed=seed):
        photos = {e.image: _open(e.image, probe) for e in (examples[test.sentence], examples[test.donor])}
        if all(photos.values()):
            results.append(play([test], examples, mapper.of_picture, photos.__getitem__))  # type: ignore[arg-type]
        progress()
    return {"pointing": to_records(pointing_table(pd.concat(results), seed=seed))} if results else {}


def _entities_with_photo(
    examples: Sequence[Example], n: int, probe: Probe, seed: int
) -> Iterator[tuple[int, Entity, Image.Image]]:
    """Yield up to ``n`` gold entities, one per sentence, whose photo can be read; languages in turn."""
    rng = np.random.default_rng(seed)
    left: dict[str, list[int]] = {}
    for i in rng.permutation(len(examples)):
        left.setdefault(examples[i].language or "", []).append(int(i))
    taken = 0
    while taken < n and any(left.values()):
        for language in sorted(left):
            entities: list[Entity] = []
            photo = None
            while left[language] and photo is None:
                i = left[language].pop()
                entities = tags_to_entities(examples[i].tags or ())
                photo = _open(examples[i].image, probe) if entities else None
            if photo is not None and taken < n:
                taken += 1
                yield i, entities[int(rng.integers(len(entities)))], photo


def _open(path: Path | None, probe: Probe) -> Image.Image | None:
    """Read a photo; None where there is none that can be decoded, which the run has said already."""
    if path is None:
        return None
    try:
        return open_image(path, target=decode_size(probe.model.config.vit, probe.model.config.cnn))
    except InputError:
        return None


def _mean_curves(tests: Sequence[Mapping[str, MapTest]]) -> list[dict[str, Any]]:
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

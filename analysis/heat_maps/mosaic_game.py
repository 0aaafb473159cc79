"""The pointing game on mosaics: several photos in one image, each with its own sentence.

As in GridPG (Rao et al., CVPR 2022) the answer is known without annotated boxes. Every sentence of a mosaic is asked
about the same image, so a map that always prefers one kind of photo is caught: ``swap`` is whether both sentences of
a pair are answered by their own photo.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analysis.heat_maps.mosaic_plan import SAME_PHOTO, Group
from analysis.heat_maps.places import Heat, chance, hit, in_parts, mass
from analysis.heat_maps.pointing_maps import HeatMaps
from mmner_core.photos.mosaics import MosaicLayout, compose

if TYPE_CHECKING:
    from PIL import Image

BROKEN = "mosaics with a photo that cannot be decoded"
COLUMNS = ["layout", "sentence", "language", "type", "method", "hit", "mass", "chance", "swap"]


def play_mosaics(
    groups: Sequence[Group],
    heat_maps: HeatMaps,
    open_image: Callable[[Path], Image.Image | None],
    progress: Callable[[], object] = lambda: None,
) -> tuple[pd.DataFrame, Counter[str]]:
    """Show every arrangement of each group and ask it for each of its names.

    Args:
        groups: from :func:`analysis.heat_maps.mosaic_plan.plan_mosaics`.
        heat_maps: makes the maps of an image, by method.
        open_image: reads a photo upright and in RGB; None for one that cannot be decoded.
        progress: called after each group.

    Returns:
        One row per showing, name and method: ``layout``, ``sentence``, ``language``, ``type``, ``method``, ``hit``,
        ``mass``, ``chance`` (share of the cells in the right part), and ``swap`` (the product of both hits of a pair;
        NaN where there are more photos, or the same twice). And how many groups were left out, by reason.
    """
    rows: list[dict[str, object]] = []
    left_out = Counter[str]()
    for group in groups:
        opened = [open_image(subject.photo) for subject in group.subjects]
        photos = [photo for photo in opened if photo is not None]
        if len(photos) < len(opened):
            left_out[BROKEN] += 1
        else:
            for arranged in group.arrangements():
                rows += _showing(group, arranged, photos, heat_maps)
        progress()
    return pd.DataFrame(rows, columns=COLUMNS), left_out


def _showing(
    group: Group, arranged: MosaicLayout, photos: Sequence[Image.Image], heat_maps: HeatMaps
) -> Iterator[dict[str, object]]:
    image, _ = compose(photos, arranged)
    ask = heat_maps(image)
    answers = [ask(subject.words, subject.entity) for subject in group.subjects]
    paired = len(answers) == 2 and group.name != SAME_PHOTO
    for method in answers[0]:
        scores = [_score(answer[method], arranged, place) for place, answer in enumerate(answers)]
        swap = float(scores[0]["hit"] * scores[1]["hit"]) if paired else float("nan")
        for subject, score in zip(group.subjects, scores, strict=True):
            fixed = {"layout": group.name, "sentence": subject.sentence, "language": subject.language}
            yield {**fixed, "type": subject.entity.type, "method": method, "swap": swap, **score}


def _score(heat: Heat, arranged: MosaicLayout, place: int) -> Mapping[str, float]:
    weights = in_parts(arranged.parts, heat)[place]
    return {"hit": hit(heat, weights), "mass": mass(heat, weights), "chance": chance(weights)}

"""Paste tests: two photos side by side, the name belongs to one of them; does a heat map point at the right one?

The pointing game (Zhang et al., ECCV 2016) with a known answer and no annotated boxes: chance is 0.5 whatever the
photos. Every pair is shown both ways round, so a map that always points left scores exactly 0.5.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.donors import other_type_donors
from analysis.estimate import mean_estimate
from analysis.margins import by_part
from mmner_core.data.colour import GREY
from mmner_core.labels import Entity, tags_to_entities

if TYPE_CHECKING:
    from PIL import Image

    from mmner_core.data import Example

SIDE = 448  # twice what the encoders see, so that halving a photo loses nothing they would have had
CHANCE = 0.5
# (words, picture, entity) -> method to [rows, columns].
HeatMaps = Callable[[Sequence[str], "Image.Image", Entity], Mapping[str, np.ndarray]]


@dataclass(frozen=True, slots=True, kw_only=True)
class PasteTest:
    """One name and the two photos to be put side by side.

    Attributes:
        sentence: index of the sentence.
        entity: its only gold entity.
        donor: index of the sentence whose photo is the wrong one: of the same language, illustrating another type.
    """

    sentence: int
    entity: Entity
    donor: int


def plan_paste_tests(examples: Sequence[Example], *, limit: int | None = None, seed: int = 0) -> list[PasteTest]:
    """Choose sentences with a photo and exactly one gold entity, and for each a photo of another entity type.

    With two entities it would not be known whose photo it is. ``limit`` keeps that many, drawn at random.

    Raises:
        InputError: if a sentence with a photo has no gold tags.
    """
    rng = np.random.default_rng(seed)
    active = [i for i, example in enumerate(examples) if example.image is not None and example.image.is_file()]
    donors = other_type_donors(examples, active, rng)
    tests = []
    for i in active:
        entities = tags_to_entities(examples[i].tags or ())
        donor = donors[i]
        if len(entities) == 1 and donor is not None:
            tests.append(PasteTest(sentence=i, entity=entities[0], donor=donor))
    if limit is not None and limit < len(tests):
        tests = [tests[i] for i in sorted(rng.choice(len(tests), limit, replace=False))]
    return tests


def paste(left: Image.Image, right: Image.Image) -> Image.Image:
    """Put two RGB photos side by side in one square, each whole and centred in its half on grey."""
    from PIL import Image, ImageOps

    collage = Image.new("RGB", (SIDE, SIDE), GREY)
    for photo, centre in ((left, SIDE // 4), (right, 3 * SIDE // 4)):
        fitted = ImageOps.contain(photo, (SIDE // 2, SIDE), Image.Resampling.BICUBIC)
        collage.paste(fitted, (centre - fitted.width // 2, (SIDE - fitted.height) // 2))
    return collage


def hit(heat: np.ndarray, *, left: bool) -> float:
    """Say whether the hottest cell of a [rows, columns] map lies in the named half: 1, 0, or between for ties.

    A cell of the middle column of an odd grid lies in both halves and counts 0.5; equally hot cells count their mean,
    so an even map scores 0.5.
    """
    columns = heat.shape[1]
    centre = (np.arange(columns) + 0.5) / columns
    in_left = np.where(np.isclose(centre, 0.5), 0.5, centre < 0.5)
    hottest = heat == heat.max()
    share = float((hottest * in_left).sum() / hottest.sum())
    return share if left else 1 - share


def mass(heat: np.ndarray, *, left: bool) -> float:
    """Return the share of a map's positive part that lies in the named half; 0.5 where there is none."""
    positive = np.maximum(heat, 0).sum(axis=0)
    if not positive.sum() > 0:
        return CHANCE
    columns = len(positive)
    weight = np.clip(columns / 2 - np.arange(columns), 0, 1)  # how much of each column lies left of the middle
    share = float((positive * weight).sum() / positive.sum())
    return share if left else 1 - share


def play(
    tests: Sequence[PasteTest],
    examples: Sequence[Example],
    heat_maps: HeatMaps,
    open_image: Callable[[Path], Image.Image],
) -> pd.DataFrame:
    """Show each pair both ways round and read off every method's map.

    Args:
        tests: from :func:`plan_paste_tests`.
        examples: the sentences they were planned on.
        heat_maps: makes the maps of one entity and one picture, by method.
        open_image: reads a photo upright and in RGB.

    Returns:
        One row per test, way round and method: ``sentence``, ``language``, ``type``, ``method``, ``left`` (whether the
        right photo was on the left), ``hit``, ``mass``.
    """
    rows = []
    for test in tests:
        example, donor = examples[test.sentence], examples[test.donor]
        assert example.image is not None and donor.image is not None  # noqa: S101 (planned so)
        own, other = open_image(example.image), open_image(donor.image)
        for left in (True, False):
            picture = paste(own, other) if left else paste(other, own)
            for method, heat in heat_maps(example.words, picture, test.entity).items():
                row = {"sentence": test.sentence, "language": example.language or "", "type": test.entity.type}
                rows.append(row | {"method": method, "left": left, "hit": hit(heat, left=left)})
                rows[-1]["mass"] = mass(heat, left=left)
    columns = ["sentence", "language", "type", "method", "left", "hit", "mass"]
    return pd.DataFrame(rows, columns=columns)


def pointing_table(results: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Return pointing accuracy and share of mass per method, per language and over all.

    One row per ``method``, ``language`` and ``quantity`` ("hit", "mass"): ``value``, ``low``, ``high``, ``n``
    (showings) and ``chance``. The interval resamples sentences, whose two showings belong together.
    """
    rows = []
    for method in results["method"].unique():
        of_method = results[results["method"] == method]
        for language, mask in by_part(of_method["language"]):
            chosen = of_method[mask]
            for quantity in ("hit", "mass"):
                clusters = chosen["sentence"].to_numpy()
                estimate = mean_estimate(chosen[quantity].to_numpy(), clusters=clusters, seed=seed)
                row = {"method": method, "language": language, "quantity": quantity} | estimate.to_row()
                rows.append(row | {"chance": CHANCE})
    return pd.DataFrame(rows)

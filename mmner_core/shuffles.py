"""Every sentence beside another's photo, and what several such shuffles come to.

A single shuffle says little of a small data set: one name of 250 is 0.4 points of F1, and another shuffle misleads
other names.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from mmner_core.data import Example


def shuffle_images(examples: Sequence[Example], seed: int) -> list[Example]:
    """Give each sentence the image of another sentence of its language, never its own.

    A language with a single image keeps it nowhere: there is no other to give, so that sentence gets none.
    """
    shown = list(examples)
    for language in dict.fromkeys(e.language for e in examples):
        rows = [i for i, e in enumerate(examples) if e.language == language and e.image is not None]
        donors = _derange([examples[i].image for i in rows], random.Random(f"{seed}/{language}"))
        for i, image in zip(rows, donors, strict=True):
            shown[i] = replace(examples[i], image=image, image_id=image.name if image else None)
    return shown


def mean_scores(shuffles: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return scores of the same form, each the mean over shuffles; counts of what is in the data are kept.

    A type that only some shuffles have met is one without a gold name, so nought in all of them.
    """
    means: dict[str, Any] = {}
    for key in dict.fromkeys(key for scores in shuffles for key in scores):
        values = [scores[key] for scores in shuffles if key in scores]
        if isinstance(values[0], dict):
            means[key] = mean_scores(values)
        else:
            means[key] = sum(values) / len(values) if isinstance(values[0], float) else values[0]
    return means


def f1_of_each(shuffles: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """Return the strict micro F1 of each shuffle, over all sentences and per language."""
    languages = shuffles[0]["by_language"]
    return {
        "all": [scores["micro"]["f1"] for scores in shuffles],
        **{language: [scores["by_language"][language]["f1"] for scores in shuffles] for language in languages},
    }


def averaged(record: Mapping[str, Any]) -> list[float]:
    """Return the micro F1 of each shuffle that a record of ``evaluate`` is the mean of; none in other conditions."""
    shuffles: list[float] = (record.get("f1_of_each_shuffle") or {}).get("all", [])
    return shuffles


def _derange(images: Sequence[Path | None], rng: random.Random) -> list[Path | None]:
    """Permute images so that none stays in a place where it already was; equal images count as one."""
    donors = list(images)
    rng.shuffle(donors)
    for i, own in enumerate(images):
        if donors[i] == own:
            swaps = [j for j, other in enumerate(images) if donors[j] != own and other != donors[i]]
            if swaps:
                j = rng.choice(swaps)
                donors[i], donors[j] = donors[j], donors[i]
            else:
                donors[i] = None
    return donors

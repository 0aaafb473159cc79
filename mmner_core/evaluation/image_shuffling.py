"""Shuffles images among sentences, and averages the scores of several shuffles.

A single shuffle is a noisy measure on a small data set: one entity of 250 is worth 0.4 points of F1, and each shuffle
misleads other entities.
"""

from __future__ import annotations

import random
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from mmner_core.data import Example


def shuffle_images(examples: Sequence[Example], seed: int) -> list[Example]:
    """Give each sentence the image of another sentence of its language, never its own.

    Each language is dealt by itself, so that it comes out alike alone and among others. A language with a single image
    keeps it nowhere: there is no other to give, so that sentence gets none.
    """
    shown = list(examples)
    for language in dict.fromkeys(e.language for e in examples):
        rows = [i for i, e in enumerate(examples) if e.language == language and e.image is not None]
        rng = np.random.default_rng(random.Random(f"{seed}/{language}").getrandbits(64))
        for i, place in zip(rows, derange([examples[i].image for i in rows], rng), strict=True):
            image = None if place is None else examples[rows[place]].image
            shown[i] = replace(examples[i], image=image, image_id=image.name if image else None)
    return shown


def derange(keys: Sequence[Hashable], rng: np.random.Generator) -> list[int | None]:
    """Choose for each place another place with a different key, at random; None where there is none.

    The result is a permutation whenever one exists, that is when no key has more than half of the places. Otherwise
    those places of the majority key that find no partner draw with replacement from the others.

    Conflicts of a random permutation are mended by swaps. If i received its own key k and k has m <= n/2 places, at
    most 2m - 1 < n places hold or receive k, so a partner whose swap mends i and harms no one exists.
    """
    codes: dict[Hashable, int] = {}
    key = np.array([codes.setdefault(k, len(codes)) for k in keys], dtype=int)
    source = rng.permutation(len(keys))
    chosen: dict[int, int | None] = {}
    for i in np.flatnonzero(key[source] == key):
        if key[source[i]] != key[i]:  # mended already, as the partner of an earlier one
            continue
        partners = np.flatnonzero((key != key[i]) & (key[source] != key[i]))
        if len(partners):
            j = rng.choice(partners)
            source[i], source[j] = source[j], source[i]
        else:
            others = np.flatnonzero(key != key[i])
            chosen[int(i)] = int(rng.choice(others)) if len(others) else None
    return [chosen.get(i, int(source[i])) for i in range(len(keys))]


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
    """Return the micro F1 of each shuffle behind a record of ``evaluate``; empty for other conditions."""
    shuffles: list[float] = (record.get("f1_of_each_shuffle") or {}).get("all", [])
    return shuffles

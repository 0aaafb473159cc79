"""Mismatched images: seeded choices of another sentence's image, which keep what a fair test must keep."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from mmner_core.errors import InputError
from mmner_core.evaluation.image_shuffling import derange
from mmner_core.labels import tags_to_entities

if TYPE_CHECKING:
    from pathlib import Path

    from mmner_core.data import Example


def shuffled_images(
    examples: Sequence[Example], active: Sequence[int], rng: np.random.Generator
) -> dict[int, int | None]:
    """Choose for each sentence the one whose image it gets, dealt within its language; None where there is no other."""
    owners: dict[int, int | None] = {}
    for members in _by_language(examples, active).values():
        dealt = derange([examples[i].image for i in members], rng)
        owners |= {i: None if j is None else members[j] for i, j in zip(members, dealt, strict=True)}
    return owners


def other_type_images(
    examples: Sequence[Example], active: Sequence[int], rng: np.random.Generator
) -> dict[int, int | None]:
    """Choose for each sentence one of its language whose image shows none of its gold types; None if none does.

    The types of a photo are those of all sentences it illustrates; a photo of sentences without any entity shows no
    type and is not used. A sentence without entities may get any other photo.

    Raises:
        InputError: if a sentence has no gold tags.
    """
    owners: dict[int, int | None] = {}
    for members in _by_language(examples, active).values():
        own = {i: _gold_types(examples[i]) for i in members}
        shown: dict[Path | None, frozenset[str]] = defaultdict(frozenset)
        for i in members:
            shown[examples[i].image] |= own[i]
        photos = {examples[i].image: i for i in reversed(members) if shown[examples[i].image]}
        pools = {types: [photo for photo in photos if not types & shown[photo]] for types in set(own.values())}
        for i in members:
            pool = pools[own[i]]
            place = draw_other(pool, examples[i].image, rng)
            owners[i] = None if place is None else photos[pool[place]]
    return owners


def draw_other(keys: Sequence[Hashable], avoid: Hashable, rng: np.random.Generator) -> int | None:
    """Choose uniformly one place whose key is not ``avoid``, None where there is none."""
    for _ in range(4):  # nearly always enough, and saves looking at all places
        if keys and keys[place := int(rng.integers(len(keys)))] != avoid:
            return place
    places = [i for i, key in enumerate(keys) if key != avoid]
    return int(rng.choice(places)) if places else None


def _by_language(examples: Sequence[Example], active: Sequence[int]) -> dict[str | None, list[int]]:
    groups: dict[str | None, list[int]] = defaultdict(list)
    for i in active:
        groups[examples[i].language].append(i)
    return groups


def _gold_types(example: Example) -> frozenset[str]:
    if example.tags is None:
        raise InputError(f"{example.where}: the condition 'other_type' needs gold tags, and this sentence has none.")
    return frozenset(entity.type for entity in tags_to_entities(example.tags))

"""Conditions: which image each sentence of an evaluation run is shown, or how its words are changed.

A condition is planned for a whole split at once, which costs nothing; images are opened one by one by :func:`render`. A
sentence that cannot take part (no image, no other one) is left out *with its reason*, never silently shown something
else.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal
from zlib import crc32

import numpy as np

from analysis.conditions.corruptions import CORRUPTIONS, SEVERITIES, blank_image, corrupt, noise_image
from analysis.conditions.mismatched_images import draw_other, other_type_images, shuffled_images
from analysis.conditions.stressed_text import STRESSES, TextStress
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from PIL import Image

    from mmner_core.data import Example

REPLACED = ("matched", "none", "blank", "noise", "shuffled", "other_type", "irrelevant")
STRESSED = tuple(STRESSES)  # the words are changed; the image is the sentence's own, as under "matched"
CORRUPTED = tuple(f"{name}-{severity}" for name in CORRUPTIONS for severity in SEVERITIES)
# What is hidden besides, for Shapley shares: whether the words are seen, and which image streams (None: all).
HIDDEN: dict[str, tuple[bool, tuple[str, ...] | None]] = {
    "nothing": (False, ()),
    "image_only": (False, None),
    "vit_only": (False, ("vit",)),
    "cnn_only": (False, ("cnn",)),
    "text+vit": (True, ("vit",)),
    "text+cnn": (True, ("cnn",)),
}
CONDITIONS = (*REPLACED, *STRESSED, *HIDDEN, *CORRUPTED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownImage:
    """What one sentence is shown under one condition.

    Attributes:
        kind: a photo from disk, nothing, even grey, or random pixels.
        path: the photo, for kind "photo".
        owner: index of the sentence whose image it is, where it belongs to another one.
        corruption, severity: how the photo is corrupted, None for as it is.
        seed: for random pixels and for the random part of a corruption.
    """

    kind: Literal["photo", "none", "blank", "noise"]
    path: Path | None = None
    owner: int | None = None
    corruption: str | None = None
    severity: int = 0
    seed: int = 0


NOTHING = ShownImage(kind="none")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionPlan:
    """One condition over a split.

    Attributes:
        name: one of :data:`CONDITIONS`.
        sources: per sentence what it is shown, None for a sentence that takes no part.
        skipped: why, for each sentence that takes no part: index to reason.
        words_seen: whether the model reads the words, or the unknown token in place of each.
        streams: the image streams that get the image; None for all the model has.
        stress: how the words are changed; None for as they are.
    """

    name: str
    sources: tuple[ShownImage | None, ...]
    skipped: dict[int, str]
    words_seen: bool = True
    streams: tuple[str, ...] | None = None
    stress: TextStress | None = None

    def changed_words(self, example: Example) -> tuple[str, ...] | None:
        """Return the words that the model reads instead of a sentence's own, None where it reads its own."""
        return None if self.stress is None else self.stress(example.words, example.tags or ())


def plan_condition(
    examples: Sequence[Example], name: str, *, seed: int = 0, irrelevant: Sequence[Path] = ()
) -> ConditionPlan:
    """Return which image each sentence is shown under condition ``name``.

    Only sentences whose photo exists take part, under every condition, so that all rows of a table rest on the same
    sentences. "shuffled" gives each sentence another photo of its language, each photo as often as before where that
    is possible; "other_type" the photo of a sentence of its language that shares no gold type with it (a sentence
    without entities gets any that has some); "irrelevant" one of the photos in ``irrelevant``.

    Raises:
        InputError: if the condition does not exist, gold tags are missing for "other_type", or "irrelevant" has
            no photos to choose from.
    """
    if name not in CONDITIONS:
        raise InputError(f"Unknown condition {name!r}; choose one of {', '.join(CONDITIONS)}.")
    skipped = {i: reason for i, example in enumerate(examples) if (reason := _cannot_take_part(example))}
    active = [i for i in range(len(examples)) if i not in skipped]
    rng = np.random.default_rng([seed, crc32(name.encode())])
    if name in _MISMATCHED:
        choose, reason = _MISMATCHED[name]
        owners = choose(examples, active, rng)
        skipped |= {i: reason for i, owner in owners.items() if owner is None}
        chosen = {
            i: ShownImage(kind="photo", path=examples[owner].image, owner=owner)
            for i, owner in owners.items()
            if owner is not None
        }
    elif name == "irrelevant":
        chosen = _irrelevant_sources(examples, active, irrelevant, rng)
    else:
        chosen = {i: _own_source(examples[i], name, seed) for i in active}
    words_seen, streams = HIDDEN.get(name, (True, None))
    return ConditionPlan(
        name=name,
        sources=tuple(map(chosen.get, range(len(examples)))),
        skipped=skipped,
        words_seen=words_seen,
        streams=streams,
        stress=TextStress(name, seed) if name in STRESSED else None,
    )


def render(source: ShownImage, open_image: Callable[[Path], Image.Image]) -> Image.Image | None:
    """Make the image a source describes; ``open_image`` reads a photo upright and in RGB."""
    if source.kind == "none":
        return None
    if source.kind == "blank":
        return blank_image()
    if source.kind == "noise":
        return noise_image(seed=source.seed)
    assert source.path is not None, "a source of kind photo has a path"
    photo = open_image(source.path)
    if source.corruption is None:
        return photo
    return corrupt(photo, source.corruption, source.severity, seed=source.seed)


def _cannot_take_part(example: Example) -> str:
    if example.image is None:
        return "the sentence has no photo"
    return "" if example.image.is_file() else "the photo file is missing"


def _own_source(example: Example, name: str, seed: int) -> ShownImage:
    if name in ("none", "nothing"):
        return NOTHING
    if name == "matched" or name in HIDDEN or name in STRESSED:
        return ShownImage(kind="photo", path=example.image)
    if name == "blank":
        return ShownImage(kind="blank")
    # Seeded by the photo, not by its place or the severity: severity 3 is severity 2 made worse, and sentences that
    # share a photo share the corrupted one.
    photo_seed = crc32(f"{seed}|{example.image_id or example.image}".encode())
    if name == "noise":
        return ShownImage(kind="noise", seed=photo_seed)
    corruption, _, severity = name.partition("-")
    return ShownImage(kind="photo", path=example.image, corruption=corruption, severity=int(severity), seed=photo_seed)


def _irrelevant_sources(
    examples: Sequence[Example], active: Sequence[int], pool: Sequence[Path], rng: np.random.Generator
) -> dict[int, ShownImage]:
    sources = {}
    for i in active:
        place = draw_other(pool, examples[i].image, rng)
        if place is None:
            raise InputError(
                "The condition 'irrelevant' needs photos that show none of the things named in the sentences; "
                f"{len(pool)} were given, none of them other than the sentence's own."
            )
        sources[i] = ShownImage(kind="photo", path=pool[place])
    return sources


_MISMATCHED = {
    "shuffled": (shuffled_images, "its language has no other photo"),
    "other_type": (other_type_images, "its language has no photo that shows other types only"),
}

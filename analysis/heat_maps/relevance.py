"""Measures whether attention separates an entity's own image from others, and what an empty image changes.

Of each sentence with one name: how much of the name's attention its own photo gets, an image that shows nothing, and a
photo of another type. As detectors of relevance the shares have an AUC; 0.5 is chance.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from analysis.conditions.mismatched_images import other_type_images
from analysis.scores.estimate import mean_estimate
from mmner_core.errors import InputError
from mmner_core.labels import Entity, tags_to_entities
from mmner_core.photos.images_of_nothing import KINDS, image_of_nothing

if TYPE_CHECKING:
    from PIL.Image import Image

    from analysis.heat_maps.explainer import ModelExplainer, Text
    from mmner_core.data import Example

OWN, NOTHING, OTHER_TYPE = "own photo", "nothing", "another type"
RESAMPLES = 1000


class _Seen(NamedTuple):
    """The answer for one sentence with one image: its entity's attention on the image, and all tags."""

    share: float
    tags: list[str]


def measure_relevance(
    explainer: ModelExplainer,
    examples: Sequence[Example],
    *,
    seed: int = 0,
    progress: Callable[[], object] = lambda: None,
) -> dict[str, Any]:
    """Tag each sentence that has a photo and one gold name with its own photo, an empty one, and one of another type.

    Returns:
        under ``relevance`` a row per kind of wrong image: ``beside``, ``auc`` with ``low`` and ``high`` (sentences
        resampled), ``chance``, the mean shares ``own`` and ``wrong``, ``n``; under ``nothing`` a row per kind of such
        images, "all" among them: ``kind``, ``changed`` (share of sentences whose tags differ from those of the text
        alone) with ``low`` and ``high``, ``n``.

    Raises:
        InputError: if the model cannot look away from a photo, or no sentence is fit.
    """
    if not explainer.model.config.fusion.null_sink:
        raise InputError("This model cannot look away from a photo (null_sink), so attention has no share to measure.")
    active = [i for i, e in enumerate(examples) if e.image is not None and len(tags_to_entities(e.tags or ())) == 1]
    rng = np.random.default_rng(seed)
    owners = other_type_images(examples, active, rng)
    shares: dict[str, list[tuple[float, float]]] = {NOTHING: [], OTHER_TYPE: []}
    changed: dict[str, list[bool]] = {kind: [] for kind in KINDS}
    for number, i in enumerate(active):
        [entity] = tags_to_entities(examples[i].tags or ())
        own = explainer.open(examples[i].image)
        if own is not None:
            text = explainer.read(examples[i].words, convention=examples[i].convention)
            shown = _see(explainer, text, entity, own)
            kind = KINDS[number % len(KINDS)]
            blank = _see(explainer, text, entity, image_of_nothing(kind, rng))
            shares[NOTHING].append((shown.share, blank.share))
            changed[kind].append(blank.tags != explainer.tags_alone(text))
            owner = owners[i]
            other = None if owner is None else explainer.open(examples[owner].image)
            if other is not None:
                shares[OTHER_TYPE].append((shown.share, _see(explainer, text, entity, other).share))
        progress()
    if not shares[NOTHING]:
        raise InputError("No sentence has a photo and exactly one name; there is nothing to measure relevance on.")
    both = [{"kind": "all"} | _rate([c for part in changed.values() for c in part], seed)]
    return {
        "relevance": [_auc_row(beside, np.array(pairs), seed) for beside, pairs in shares.items() if pairs],
        "nothing": both + [{"kind": kind} | _rate(part, seed) for kind, part in changed.items() if part],
    }


def _see(explainer: ModelExplainer, text: Text, entity: Entity, image: Image) -> _Seen:
    share, tags = explainer.share_and_tags(text, explainer.look(image))
    return _Seen(float(share[entity.start : entity.end].mean()), tags)


def _rate(changed: Sequence[bool], seed: int) -> dict[str, Any]:
    estimate = mean_estimate(np.array(changed, dtype=float), seed=seed).to_row()
    return {"changed": estimate["value"], "low": estimate["low"], "high": estimate["high"], "n": estimate["n"]}


def _auc_row(beside: str, pairs: np.ndarray, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    drawn = [auc(*pairs[rng.integers(len(pairs), size=len(pairs))].T) for _ in range(RESAMPLES)]
    low, high = np.quantile(drawn, [0.025, 0.975])
    row: dict[str, Any] = {"beside": beside, "auc": auc(*pairs.T), "low": float(low), "high": float(high)}
    return row | {"chance": 0.5, "own": float(pairs[:, 0].mean()), "wrong": float(pairs[:, 1].mean()), "n": len(pairs)}


def auc(right: np.ndarray, wrong: np.ndarray) -> float:
    """Return the probability that one of [N] exceeds one of [M], ties counting half (the Mann-Whitney statistic)."""
    ordered = np.sort(wrong)
    below, upto = np.searchsorted(ordered, right, "left"), np.searchsorted(ordered, right, "right")
    return float(((below + upto) / 2).mean() / len(wrong))

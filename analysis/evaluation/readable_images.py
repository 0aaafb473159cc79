"""Drops sentences whose image cannot be decoded from an image condition."""

from __future__ import annotations

from collections.abc import Container

from analysis.conditions.conditions import NOTHING, ConditionPlan, ShownImage
from analysis.evaluation.image_features import without_owner
from analysis.evaluation.plan import MATCHED, NONE


def readable_sources(
    plan: ConditionPlan, images: Container[ShownImage], broken: set[int]
) -> tuple[dict[int, ShownImage], list[int]]:
    """Return what each sentence is shown, and which drop out because that photo, or their own, is broken.

    Args:
        plan: a condition over some sentences; "matched" comes before those that replace the photo.
        images: what could be made of the sources, see :func:`analysis.evaluation.image_features.without_owner`.
        broken: sentences whose own photo is broken; those met under "matched" are added.
    """
    sources: dict[int, ShownImage] = {}
    skipped = []
    for i, source in enumerate(plan.sources):
        if source is None:
            continue
        readable = source.kind == "none" or without_owner(source) in images
        if not readable and (plan.name == MATCHED or plan.stress is not None):
            broken.add(i)
            sources[i] = NOTHING  # as a text without photo
        elif readable and (i not in broken or plan.name == NONE or plan.stress is not None):
            sources[i] = source
        else:
            skipped.append(i)
    return sources, skipped

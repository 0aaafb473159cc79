"""Who drops out of a condition because a photo cannot be decoded."""

from __future__ import annotations

from collections.abc import Container

from analysis.conditions.conditions import NOTHING, ConditionPlan, ImageSource
from analysis.evaluation.pictures import picture_of
from analysis.evaluation.plan import MATCHED, NONE


def readable_sources(
    plan: ConditionPlan, images: Container[ImageSource], broken: set[int]
) -> tuple[dict[int, ImageSource], list[int]]:
    """Return what each sentence is shown, and who drops out because the photo, or its own, is broken.

    Args:
        plan: a condition over some sentences; "matched" comes before those that replace the photo.
        images: what could be made of the sources, see :func:`analysis.evaluation.pictures.picture_of`.
        broken: sentences whose own photo is broken; those met under "matched" are added.
    """
    sources: dict[int, ImageSource] = {}
    skipped = []
    for i, source in enumerate(plan.sources):
        if source is None:
            continue
        readable = source.kind == "none" or picture_of(source) in images
        if plan.name == MATCHED and not readable:
            broken.add(i)
            sources[i] = NOTHING  # as a text without photo
        elif readable and (i not in broken or plan.name == NONE):
            sources[i] = source
        else:
            skipped.append(i)
    return sources, skipped

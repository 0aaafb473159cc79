"""The registry of all panels: what the report and the tabs of the app show, and in which order."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from analysis.panels import (
    calibration,
    compare,
    confusion,
    corrections,
    data_quality,
    embedding,
    errors,
    faithfulness,
    kept_slices,
    minimal_pairs,
    modality,
    pointing,
    scores,
    shapley,
    slices,
    space_map,
    stress,
    threshold,
    word_losses,
)
from analysis.panels.panel import PanelKind
from analysis.panels.selection import Selection

Tab = Literal["errors", "embedding", "modality"]


@dataclass(frozen=True, slots=True, eq=False)
class Section:
    """Panels that belong together: a chapter of the report, a stretch of a tab.

    Attributes:
        id: for links.
        title: of the chapter; ``{other}`` in it is the run that is compared with.
        tab: where the app shows them.
        panels: in their order.
    """

    id: str
    title: str
    tab: Tab
    panels: tuple[PanelKind[...], ...]

    def kinds(self, chosen: Selection) -> Iterator[PanelKind[...]]:
        """Yield the kinds of panels that can be made of what is chosen."""
        return (kind for kind in self.panels if chosen.other is not None or not kind.needs_other)


SECTIONS = (
    Section("scores", "Scores", "errors", (scores.scores, scores.rules)),
    Section(
        "errors",
        "Errors",
        "errors",
        (
            confusion.confusion,
            confusion.confusion_languages,
            errors.taxonomy,
            errors.failure_summary,
            errors.failures_first,
            kept_slices.kept_slices,
            word_losses.worst,
            word_losses.labels,
        ),
    ),
    Section("slices", "Slices", "errors", (slices.slices, slices.worst)),
    Section(
        "trust",
        "Calibration and data",
        "errors",
        (
            calibration.calibration,
            threshold.threshold,
            data_quality.noise,
            data_quality.leakage,
            data_quality.leaking_pairs,
            data_quality.duplicates,
            corrections.corrected_scores,
            corrections.corrections,
        ),
    ),
    Section(
        "modality",
        "What the image contributes",
        "modality",
        (
            modality.modality,
            modality.helped,
            modality.hurt,
            modality.severity,
            stress.stress,
            shapley.shapley,
            shapley.shapley_streams,
            minimal_pairs.minimal_pairs,
            modality.terciles,
            modality.pair_kinds,
        ),
    ),
    Section(
        "heat-maps",
        "Heat maps",
        "modality",
        (pointing.mosaics, pointing.boxes, pointing.pointing, faithfulness.faithfulness),
    ),
    Section(
        "space",
        "The contrastive space",
        "embedding",
        (space_map.space_map, space_map.entity_map, embedding.retrieval, embedding.cosines, embedding.geometry),
    ),
    Section(
        "comparison",
        "Compared with {other}",
        "errors",
        (compare.differences, compare.outcomes, confusion.confusion_runs, compare.flips),
    ),
)

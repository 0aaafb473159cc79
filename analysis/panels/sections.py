"""The order of panels in the report and in the app's tabs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial

from analysis.panels import (
    calibration,
    compare,
    confusion,
    data_quality,
    embedding,
    errors,
    faithfulness,
    minimal_pairs,
    modality,
    pointing,
    scores,
    shapley,
    slices,
    space_map,
    threshold,
)
from analysis.panels.panel import Panel
from analysis.run.folder import EvaluationRun

Build = Callable[[], Panel]


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Panels that belong together.

    Attributes:
        id: for links.
        title: what it is called.
        builds: panel id (without suffix) and the function that makes the panel.
    """

    id: str
    title: str
    builds: tuple[tuple[str, Build], ...]

    def panels(self, only: str | None = None) -> Iterator[Panel]:
        """Make the panels one by one; ``only`` those of one id."""
        return (build() for name, build in self.builds if only in (None, name))


def sections(
    run: EvaluationRun,
    other: EvaluationRun | None = None,
    valid: EvaluationRun | None = None,
    condition: str | None = None,
) -> list[Section]:
    """Return all sections of a run.

    Args:
        run: the run.
        other: a run over the same split to compare it with.
        valid: a run over the validation data, to fit the temperature on.
        condition: the image condition that scores and errors are about; None for the run's first.

    Raises:
        InputError: if the run has no such condition.
    """
    languages = sorted(set(run.answers(condition).languages))
    several = [None, *languages] if len(languages) > 1 else [None]
    reference = "en" if "en" in languages else (languages or [""])[0]
    first = (
        ("scores", partial(scores.scores, run, condition=condition)),
        ("rules", partial(scores.rules, run, condition=condition)),
        ("slices", partial(slices.slices, run, condition=condition)),
        ("worst-slices", partial(slices.worst, run, condition=condition)),
    )
    pairs = [(one, reference) for one in languages if one != reference]
    confusions = (
        *(("confusion", partial(confusion.confusion, run, language, condition=condition)) for language in several),
        *(
            ("confusion-languages", partial(confusion.confusion_languages, run, *pair, condition=condition))
            for pair in pairs
        ),
        ("taxonomy", partial(errors.taxonomy, run, condition=condition)),
        ("failures", partial(errors.failure_summary, run, condition=condition)),
        ("failures-first", partial(errors.failures_first, run, condition=condition)),
    )
    found = [
        Section(id="scores", title="Scores", builds=first),
        Section(id="errors", title="Errors", builds=confusions),
        Section(
            id="trust",
            title="Calibration and data",
            builds=(
                ("calibration", partial(calibration.calibration, run, valid, condition=condition)),
                ("threshold", partial(threshold.threshold, run, condition=condition)),
                ("noise", partial(data_quality.noise, run, condition=condition)),
                ("leakage", partial(data_quality.leakage, run)),
            ),
        ),
        _modality(run),
        _heat_maps(run),
        _space(run, other),
    ]
    return [*found, _comparison(run, other)] if other is not None else found


def _modality(run: EvaluationRun) -> Section:
    return Section(
        id="modality",
        title="What the image contributes",
        builds=(
            ("modality", partial(modality.modality, run)),
            ("severity", partial(modality.severity, run)),
            ("shapley", partial(shapley.shapley, run)),
            ("shapley-streams", partial(shapley.shapley_streams, run)),
            ("minimal-pairs", partial(minimal_pairs.minimal_pairs, run)),
            ("terciles", partial(modality.terciles, run)),
            ("pair-kinds", partial(modality.pair_kinds, run)),
            ("helped", partial(modality.helped, run)),
            ("hurt", partial(modality.hurt, run)),
        ),
    )


def _heat_maps(run: EvaluationRun) -> Section:
    return Section(
        id="heat-maps",
        title="Heat maps",
        builds=(
            ("mosaics", partial(pointing.mosaics, run)),
            ("boxes", partial(pointing.boxes, run)),
            ("pointing", partial(pointing.pointing, run)),
            ("honesty", partial(faithfulness.faithfulness, run)),
        ),
    )


def _space(run: EvaluationRun, other: EvaluationRun | None) -> Section:
    return Section(
        id="space",
        title="The contrastive space",
        builds=(
            ("map", partial(space_map.space_map, run)),
            ("entity-map", partial(space_map.entity_map, run)),
            ("retrieval", partial(embedding.retrieval, run, other)),
            ("cosines", partial(embedding.cosines, run, other)),
            ("geometry", partial(embedding.geometry, run, other)),
        ),
    )


def _comparison(run: EvaluationRun, other: EvaluationRun) -> Section:
    return Section(
        id="comparison",
        title=f"Compared with {other.name}",
        builds=(
            ("differences", partial(compare.differences, run, other)),
            ("outcomes", partial(compare.outcomes, run, other)),
            ("confusion-runs", partial(confusion.confusion_runs, run, other)),
            ("flips", partial(compare.flips, run, other)),
        ),
    )

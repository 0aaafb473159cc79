"""The registry of experiments by name, and the function that runs one from start to tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from analysis.experiment import ablation, alpha_temperature, cross_dataset, cross_lingual, robustness
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.settings import ExperimentSettings
from analysis.experiment.tables import ResultTable
from analysis.experiment.writing import write_experiment
from mmner_core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Experiment:
    """One experiment.

    Attributes:
        name: of the command.
        question: what it answers, in words.
        run: trains and scores, and yields rows and tables whenever a seed is complete.
    """

    name: str
    question: str
    run: Callable[[Grid], Iterator[tuple[list[ArmResult], list[ResultTable]]]]


EXPERIMENTS = {
    experiment.name: experiment
    for experiment in (
        Experiment(name="ablation", question=ablation.QUESTION, run=ablation.run),
        Experiment(name="robustness", question=robustness.QUESTION, run=robustness.run),
        Experiment(name="cross-lingual", question=cross_lingual.QUESTION, run=cross_lingual.run),
        Experiment(name="cross-dataset", question=cross_dataset.QUESTION, run=cross_dataset.run),
        Experiment(name="alpha-temperature", question=alpha_temperature.QUESTION, run=alpha_temperature.run),
    )
}


def run_experiment(name: str, settings: ExperimentSettings, markdown: Path | None = None) -> Path:
    """Run an experiment, or what is left of it, and write its tables after each seed.

    Args:
        name: one of :data:`EXPERIMENTS`.
        settings: of the grid.
        markdown: a file for the pages of all experiments in the folder, besides ``EXPERIMENTS.md`` there.

    Returns:
        the folder of the tables.

    Raises:
        InputError: if there is no such experiment, or settings, data or weights are no good.
    """
    if name not in EXPERIMENTS:
        raise InputError(f"There is no experiment {name!r}; choose one of {', '.join(EXPERIMENTS)}.")
    experiment = EXPERIMENTS[name]
    grid = Grid(settings)
    folder = settings.runs / "tables" / name
    for outcomes, tables in experiment.run(grid):
        write_experiment(folder, name, experiment.question, grid, outcomes, tables)
        for file in (settings.runs / "EXPERIMENTS.md", *([markdown] if markdown is not None else [])):
            write_pages(file, settings.runs)
    return folder


def write_pages(file: Path, runs: Path) -> None:
    """Put the pages of all experiments of a folder into one Markdown file."""
    from analysis.experiment.writing import joined_pages

    joined_pages(file, [runs / "tables" / name / "page.md" for name in EXPERIMENTS])

"""Runs a grid: trains and scores every row with every seed, seed by seed, so that first tables are there early."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from analysis.experiment.arms import Arm
from analysis.experiment.cells import CellTrainer, TrainedCell
from analysis.experiment.scoring import Scorer, TestSet, read_test_sets
from analysis.experiment.settings import ExperimentSettings, base_run, tested_sources, with_top_layers
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from mmner_core.training.config import DataSource


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmResult:
    """One row of a grid, trained and scored.

    Attributes:
        arm: which.
        cells: per seed, K of them.
        runs: per seed the run of each test set.
    """

    arm: Arm
    cells: tuple[TrainedCell, ...]
    runs: tuple[tuple[EvaluationRun, ...], ...]


class Grid:
    """The parts that the experiments of one folder share: the preset's run, the data, earlier trainings.

    Args:
        settings: what was asked for.

    Raises:
        InputError: if there is no such preset or data folder, or pretrained weights are not to be had.
    """

    def __init__(self, settings: ExperimentSettings) -> None:
        from mmner_core.training.finish import begun_text

        if not settings.data.is_dir():
            raise InputError(f"There is no data folder {settings.data}; name it with --data.")
        self.settings = settings
        run = base_run(settings)
        run = replace(run, model=replace(run.model, text=begun_text(run)))
        self.base = run if settings.top_layers is None else with_top_layers(run, settings.top_layers)
        self.trainer = CellTrainer(settings.runs / "cells", settings.data, self.base, command=settings.command)
        self.scorer = Scorer(settings.runs / "runs", command=settings.command)

    @property
    def seeds(self) -> tuple[int, ...]:
        """Return the seeds, counted on from that of the preset's run."""
        first = self.base.training.seed
        return tuple(range(first, first + self.settings.seeds))

    def test_sets(self, sources: Sequence[DataSource] | None = None) -> tuple[TestSet, ...]:
        """Read the test data: these data sets, or those that the settings name."""
        sources = tested_sources(self.settings, self.base) if sources is None else sources
        return read_test_sets(self.settings.data, sources, self.base.model.conventions)

    def run(
        self, arms: Sequence[Arm], tests: Sequence[TestSet], conditions: Sequence[str]
    ) -> Iterator[list[ArmResult]]:
        """Train and score; whenever a seed is complete, yield the rows with the seeds so far."""
        outcomes = [ArmResult(arm=arm, cells=(), runs=()) for arm in arms]
        for seed in self.seeds:
            for place, outcome in enumerate(outcomes):
                trained = self.trainer.train(self.trainer.cell(outcome.arm.name, outcome.arm.run, seed))
                runs = tuple(self.scorer.run(trained, test, conditions) for test in tests)
                outcomes[place] = replace(outcome, cells=(*outcome.cells, trained), runs=(*outcome.runs, runs))
            yield list(outcomes)

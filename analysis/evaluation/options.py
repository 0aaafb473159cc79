"""The options of an evaluation run, and its timings."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from analysis.evaluation.plan import RunPlan, condition_names, plan_run
from analysis.evaluation.shards import SHARD

if TYPE_CHECKING:
    from analysis.run.evaluation_set import EvaluationSet


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How to evaluate.

    Attributes:
        conditions: names of image conditions, see :func:`analysis.evaluation.plan.condition_names`; empty: the default
            ones.
        corruptions: add every corruption at every severity.
        stress: add every change of the words.
        convention: annotation convention to read by; None: the checkpoint's default.
        studies: also hide words and streams (for Shapley shares) and put heat maps on trial.
        faithfulness_sample: how many gold entities the tests of heat maps draw.
        pointing_sample: how many sentences the mosaics draw.
        maps: lay out the maps.
        seed: of whose photo goes where, the studies, the maps. (Intervals have a seed of their own, as in the app.)
        shard: sentences per shard.
        overwrite: whether a run that lies there already gives way.
    """

    conditions: tuple[str, ...] = ()
    corruptions: bool = False
    stress: bool = False
    convention: str | None = None
    studies: bool = True
    faithfulness_sample: int = 12
    pointing_sample: int = 80
    maps: bool = True
    seed: int = 19
    shard: int = SHARD
    overwrite: bool = False


@dataclass(slots=True)
class Stopwatch:
    """Seconds per stage of a run."""

    seconds: dict[str, float] = field(default_factory=dict)
    _since: float = field(default_factory=time.perf_counter)

    def lap(self, stage: str) -> None:
        """Book the time since the last lap on a stage."""
        now = time.perf_counter()
        self.seconds[stage] = round(now - self._since, 2)
        self._since = now


def plan_as_asked(options: RunOptions, data: EvaluationSet, *, reads_images: bool, streams: Sequence[str]) -> RunPlan:
    """Plan what the options of a run ask for; see :func:`analysis.evaluation.plan.plan_run`.

    Args:
        options: which conditions, with corruptions and hidden words or not, and the seed.
        data: the sentences, and the images of nothing to the point.
        reads_images: whether the model does.
        streams: its image streams that can be hidden.

    Raises:
        InputError: if a condition that was asked for by name cannot be had.
    """
    return plan_run(
        data.examples,
        condition_names(
            options.conditions, corruptions=options.corruptions, hidden=options.studies, stress=options.stress
        ),
        insist=[name for name in options.conditions if name != "all"],
        irrelevant=data.irrelevant,
        reads_images=reads_images,
        streams=streams,
        seed=options.seed,
    )

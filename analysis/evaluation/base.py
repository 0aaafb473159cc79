"""The part of an evaluation that is the same for every model: computes the numbers and writes the folder."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyarrow as pa

from analysis.evaluation import summary
from analysis.evaluation.options import RunOptions, Stopwatch
from analysis.evaluation.plan import MATCHED, RunPlan, plan_facts
from analysis.evaluation.provenance import recorded_environment
from analysis.evaluation.shard_store import ShardStore
from analysis.evaluation.train_data import lexicon_of, train_examples, train_facts
from analysis.evaluation.writer import write_run
from analysis.space.stored_maps import build_maps
from analysis.space.umap_layout import UmapSettings
from mmner_core.runtime.memory import peak_megabytes, release_freed_memory
from mmner_core.runtime.progress import begin_stage

if TYPE_CHECKING:
    import numpy as np

    from analysis.heat_maps.boxes import BoxRows
    from analysis.run.answers import Answers
    from analysis.run.evaluation_set import EvaluationSet
    from analysis.run.folder import EvaluationRun
    from analysis.run.lexicon import Lexicon

_PROBLEMS_KEPT = 5
_UNREADABLE = "the photo cannot be decoded"


@dataclass(slots=True, kw_only=True)
class BaseEvaluation:
    """A run to be made, of any model.

    Attributes:
        data: the sentences.
        out: the folder to write.
        options: how.
        command: for the provenance.
        train: training data, to tell seen names from new ones and to count leakage.
        valid: gives what the same model said of other sentences, to fit the temperature on.
        boxes: photos with boxes to measure heat maps on; None: there are none.
    """

    data: EvaluationSet
    out: Path
    options: RunOptions
    command: str
    train: Sequence[Path] = ()
    valid: Callable[[], Answers | None] = lambda: None
    boxes: BoxRows | None = None

    def write(
        self,
        run: EvaluationRun,
        vectors: dict[str, np.ndarray],
        plan: RunPlan,
        store: ShardStore,
        watch: Stopwatch,
        *,
        studies: Callable[[], Mapping[str, Any]],
        about: Mapping[str, Any],
    ) -> None:
        """Compute the numbers of a tagged run, and write its folder.

        Args:
            run: the shards put together.
            vectors: of sentences, images and a sample of entities.
            plan: the conditions.
            store: the shards.
            watch: its seconds.
            studies: makes the numbers of the heat maps.
            about: what the provenance says of the model.
        """
        begin_stage("scores")
        lexicon = lexicon_of(self.train, run)
        metrics = self._metrics(run, run.answers(plan.main), vectors, lexicon)
        watch.lap("scores")
        release_freed_memory()
        if self.options.studies and MATCHED in run.conditions:
            metrics |= studies()
            release_freed_memory()
            watch.lap("heat maps")
        begin_stage("maps")
        coordinates = build_maps(vectors, UmapSettings(seed=self.options.seed)) if self.options.maps else pd.DataFrame()
        watch.lap("maps")
        release_freed_memory()
        write_run(
            self.out,
            (run.answers(condition).table for condition in run.conditions),
            metrics=metrics,
            provenance=self._provenance(about, plan, store) | {"seconds": watch.seconds},
            lexicon=lexicon,
            embeddings=vectors,
            coordinates=None if coordinates.empty else pa.Table.from_pandas(coordinates),
            overwrite=self.options.overwrite,
        )

    def _metrics(
        self, run: EvaluationRun, main: Answers, vectors: dict[str, np.ndarray], lexicon: Lexicon | None
    ) -> dict[str, Any]:
        metrics: dict[str, Any] = {"sentences": len(self.data), "conditions": run.conditions}
        metrics |= summary.scores(run)
        metrics |= summary.modality(run)
        metrics |= summary.stress(run)
        metrics |= summary.minimal_pairs(run)
        metrics |= summary.shapley(run)
        metrics |= summary.contrastive(run, vectors, lexicon)
        if main.confidence is not None:
            metrics |= summary.calibration(main, self.valid())
        if self.train:
            metrics |= summary.leakage_metrics(train_examples(self.train), self.data.examples)
        return metrics

    def _provenance(self, about: Mapping[str, Any], plan: RunPlan, store: ShardStore) -> dict[str, Any]:
        return {
            "command": self.command,
            "data": self.data.to_json(),
            **about,
            **_tagging_facts(plan, store),
            **train_facts(self.train),
            "options": asdict(self.options),
            "seed": self.options.seed,
            **recorded_environment(),
            "peak_megabytes": round(peak_megabytes()),
        }


def _tagging_facts(plan: RunPlan, store: ShardStore) -> dict[str, Any]:
    """Return which sentences took part in which condition and why others did not, and which photos are damaged."""
    conditions = plan_facts(plan)
    unreadable: dict[str, str] = {}
    for facts in store.facts():
        unreadable |= facts["unreadable"]
        for condition, n in facts["dropped"].items():
            reasons = conditions["skipped"].setdefault(condition, {})
            reasons[_UNREADABLE] = reasons.get(_UNREADABLE, 0) + n
    photos = {"unreadable": len(unreadable), "problems": list(unreadable.values())[:_PROBLEMS_KEPT]}
    return {"conditions": conditions, "photos": photos}

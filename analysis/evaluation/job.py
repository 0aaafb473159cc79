"""Evaluate a checkpoint on a split and write the run folder: shards first, numbers after.

Memory holds only the current shard and, at the end, one image condition at a time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analysis.evaluation.base import BaseEvaluation
from analysis.evaluation.options import Stopwatch, plan_as_asked
from analysis.evaluation.plan import RunPlan
from analysis.evaluation.shard_store import ShardStore
from analysis.evaluation.shards import arithmetic, job_record, n_shards, tag_shards
from analysis.evaluation.workers import Workers
from analysis.evaluation.writer import refuse_existing
from analysis.heat_maps.explainer import ModelExplainer
from analysis.heat_maps.measure import all_maps, measure_boxes, measure_mosaics
from analysis.heat_maps.mosaic_plan import plan_mosaics
from analysis.heat_maps.study import heat_map_faithfulness
from analysis.run.vectors import sample_entities
from mmner_core.errors import InputError
from mmner_core.evaluation.evaluate import gold_tags
from mmner_core.runtime.memory import release_freed_memory
from mmner_core.runtime.progress import progress_bar

if TYPE_CHECKING:
    from mmner_core.inference.tagger import Tagger


@dataclass(slots=True, kw_only=True)
class Evaluation(BaseEvaluation):
    """A run to be made of a checkpoint.

    Attributes:
        tagger: the checkpoint.
        workers: the processes that share the tagging; the first one writes the folder.
        others as in :class:`BaseEvaluation`.
    """

    tagger: Tagger
    workers: Workers = Workers()

    def run(self) -> bool:
        """Tag what is not tagged yet, and write the folder; say whether this process was the one to write it.

        Raises:
            InputError: if the folder exists and may not be overwritten, a condition cannot be had, a gold tag is
                unknown to the checkpoint, or it does not know the convention.
        """
        self._check()
        release_freed_memory()  # of loading the checkpoint
        watch, plan = Stopwatch(), self._plan()
        store = self._tag(plan)
        if self.workers.index:
            return False
        watch.lap("tagging")
        self._write(plan, store, watch)
        store.remove()
        return True

    def _check(self) -> None:
        refuse_existing(self.out, overwrite=self.options.overwrite)
        convention, conventions = self.options.convention, self.tagger.conventions
        if convention is not None and convention not in conventions:
            known = ", ".join(conventions) or "none to choose from"
            raise InputError(f"This checkpoint has no convention {convention!r} ({known}).")
        gold_tags(self.tagger.labels, self.data.examples)

    def _plan(self) -> RunPlan:
        return plan_as_asked(
            self.options,
            self.data,
            reads_images=self.tagger.reads_images,
            streams=self.tagger.model.config.fusion.streams,
        )

    def _tag(self, plan: RunPlan) -> ShardStore:
        convention, size = self.options.convention, self.options.shard
        job = job_record(self.tagger, self.data, plan, convention=convention, size=size, seed=self.options.seed)
        folder = self.out.with_name(f".{self.out.name}.parts")
        store = ShardStore.open(folder, job, n_shards(self.data, size), owner=self.workers.index == 0)
        self.workers.wait()  # for the first process to have prepared the folder
        tag_shards(self.tagger, self.data, plan, store, convention=convention, size=size, workers=self.workers)
        self.workers.wait()  # for the last shard of all
        return store

    def _write(self, plan: RunPlan, store: ShardStore, watch: Stopwatch) -> None:
        """Put the shards together, work out the numbers, and write the folder."""
        run, vectors = store.run(self.out.name, plan.names), sample_entities(store.vectors(), seed=self.options.seed)
        about = {
            "checkpoint": {"path": str(self.tagger.checkpoint.path), "digest": self.tagger.digest},
            "types": list(self.tagger.labels.types),
            "processes": self.workers.count,
            "arithmetic": arithmetic(self.tagger),
        }
        self.write(run, vectors, plan, store, watch, studies=self._studies, about=about)

    def _studies(self) -> dict[str, Any]:
        explainer, options = ModelExplainer(self.tagger.model, self.tagger.subwords), self.options
        if not explainer.grids:
            return {}  # a model whose only key is the pooled photo has no map
        examples, seed = self.data.examples, options.seed
        plan = plan_mosaics(examples, irrelevant=self.data.irrelevant_pairs, limit=options.pointing_sample, seed=seed)
        boxes = self.boxes
        total = options.faithfulness_sample + len(plan.groups) + (0 if boxes is None else len(boxes.rows))
        with progress_bar("heat maps", total, unit="photos") as bar:
            asked: dict[str, Any] = {"seed": seed, "progress": bar.update}
            found = heat_map_faithfulness(
                explainer, examples, options.faithfulness_sample, convention=options.convention, **asked
            )
            maps = all_maps(explainer, convention=options.convention, seed=seed)
            found |= measure_mosaics(explainer, plan, maps, **asked)
            if boxes is not None:
                maps = all_maps(explainer, convention=options.convention, occlusion=True, seed=seed)
                found |= measure_boxes(explainer, boxes, maps, **asked)
            return found

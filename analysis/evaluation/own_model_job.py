"""Evaluates a model of your own on a split and writes the run folder, in the form that a checkpoint's has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.evaluation.base import BaseEvaluation
from analysis.evaluation.external_notes import unknown_types
from analysis.evaluation.options import Stopwatch, plan_as_asked
from analysis.evaluation.own_model_engine import OwnModelEngine, OwnTagged
from analysis.evaluation.own_model_vectors import with_types
from analysis.evaluation.plan import MATCHED, NONE, RunPlan, plan_run
from analysis.evaluation.shard_store import ShardStore
from analysis.evaluation.shards import data_record, n_shards
from analysis.evaluation.tagged_shard import to_table
from analysis.evaluation.writer import refuse_existing
from analysis.heat_maps.mosaic_plan import plan_mosaics
from analysis.heat_maps.own_model_maps import OwnExplainer
from analysis.heat_maps.own_model_study import (
    OCCLUDED_SENTENCES,
    delete_and_insert,
    for_occlusion,
    point_at_boxes,
    point_at_mosaics,
)
from analysis.own_model.probability import meaning
from analysis.run.answers import Answers
from analysis.run.vectors import sample_entities
from mmner_core.data.type_names import TypeNames, count_types
from mmner_core.errors import InputError, listed
from mmner_core.runtime.progress import progress_bar

if TYPE_CHECKING:
    from analysis.own_model.checked import CheckedAnswer
    from analysis.own_model.interface import Item
    from analysis.own_model.process import ModelProcess
    from analysis.run.evaluation_set import EvaluationSet


@dataclass(slots=True, kw_only=True)
class OwnModelEvaluation(BaseEvaluation):
    """A run to be made of a model of your own, which has no annotation convention.

    Attributes:
        model: its process, started.
        data: the sentences, their types as the data have them.
        names: what types are to be called, in the data and the answers alike.
        before: the types of the data before any was renamed.
        others as in :class:`BaseEvaluation`.
    """

    model: ModelProcess
    names: TypeNames = field(default_factory=TypeNames)
    before: frozenset[str] = field(default=frozenset(), init=False)

    def run(self) -> tuple[str, ...]:
        """Get the missing answers, and write the folder.

        Returns:
            What a reader of the scores should know, one sentence each: orphan tags, types that no gold name has, types
            to be renamed that never occurred.

        Raises:
            InputError: if the folder exists and may not be overwritten, a condition cannot be had, a type to be renamed
                is in neither the data nor the model, or the model fails.
        """
        self._check()
        watch, plan = Stopwatch(), self._plan()
        engine = OwnModelEngine(self.model, self.names)
        store = self._tag(engine, plan)
        watch.lap("tagging")
        facts = _joined(store)
        engine.parts |= facts["parts"]
        notes = self._write(engine, plan, store, watch, set(facts["met"]))
        store.remove()
        return notes

    def answers(self, data: EvaluationSet) -> Answers:
        """Return answers to other sentences, with their own photos if the model reads photos, in memory."""
        condition = MATCHED if self.model.facts.reads_images and _has_images(data) else NONE
        plan = plan_run(data.examples, (condition,), seed=self.options.seed)
        tagged = OwnModelEngine(self.model, self.names).tag(data, plan, range(len(data)))
        return Answers.from_table(to_table(tagged.answers, data, 0))

    def _check(self) -> None:
        refuse_existing(self.out, overwrite=self.options.overwrite)
        for example in self.data.examples:
            if example.tags is None:
                raise InputError(f"{example.where} has no gold tags; errors cannot be told from it.")
        types = self.model.facts.types
        self.before = frozenset(count_types(self.data.examples))
        known = {*self.before, *types}
        if types and (missing := [name for name in self.names.names if name not in known]):
            raise InputError(
                f"--map {missing[0]}: neither the data nor the model has that type; there are {listed(sorted(known))}."
            )
        self.data = replace(self.data, examples=tuple(self.names.rename(self.data.examples)))

    def _plan(self) -> RunPlan:
        return plan_as_asked(self.options, self.data, reads_images=self.model.facts.reads_images, streams=())

    def _tag(self, engine: OwnModelEngine, plan: RunPlan) -> ShardStore:
        size = self.options.shard
        store = ShardStore.open(
            self.out.with_name(f".{self.out.name}.parts"), self._job(plan), n_shards(self.data, size)
        )
        with progress_bar("asking", len(self.data), unit="sentences") as bar:
            for shard in range(store.n_shards):
                places = range(shard * size, min((shard + 1) * size, len(self.data)))
                if not store.finished(shard):
                    tagged = engine.tag(self.data, plan, places)
                    rows = to_table(tagged.answers, self.data, places.start)
                    store.write(shard, rows, tagged.vectors, _facts(engine, tagged))
                bar.update(len(places))
        return store

    def _job(self, plan: RunPlan) -> dict[str, Any]:
        """Return everything that finished shards depend on."""
        return {
            "model": [self.model.factory, self.model.options, asdict(self.model.facts)],
            "batch": self.model.batch,
            "map": dict(self.names.names),
            **data_record(self.data, plan, size=self.options.shard, seed=self.options.seed),
        }

    def _write(
        self, engine: OwnModelEngine, plan: RunPlan, store: ShardStore, watch: Stopwatch, met: set[str]
    ) -> tuple[str, ...]:
        """Put the shards together, work out the numbers, and write the folder; return the notes."""
        run = store.run(self.out.name, plan.names)
        main = run.answers(plan.main)
        notes, types = self._notes(main, met), self._types(main)
        vectors = sample_entities(with_types(store.vectors(), main, types), seed=self.options.seed)
        self.write(
            run,
            vectors,
            plan,
            store,
            watch,
            studies=lambda: self._studies(engine, types),
            about=self._about(engine, types, notes),
        )
        return notes

    def _studies(self, engine: OwnModelEngine, types: Sequence[str]) -> dict[str, Any]:
        options, examples, open_image = self.options, self.data.examples, engine.images.open
        named = {example.words: f"sentence {i} ({example.where})" for i, example in enumerate(examples)}

        def ask(items: Sequence[Item]) -> list[CheckedAnswer]:
            names = [named.get(item.words, f"the sentence {' '.join(item.words)!r:.100}") for item in items]
            return engine.answer(items, [f"{name}, test of heat maps" for name in names])

        sample = options.pointing_sample
        plan, small = (
            plan_mosaics(examples, irrelevant=self.data.irrelevant_pairs, limit=n, seed=options.seed)
            for n in (sample, min(sample, OCCLUDED_SENTENCES))
        )
        occluded = for_occlusion(small)
        explainer = OwnExplainer(ask, own_maps="maps" in engine.parts)
        total = options.faithfulness_sample + len(occluded.groups) + (len(plan.groups) if explainer.own_maps else 0)
        with progress_bar("heat maps", total + (len(self.boxes.rows) if self.boxes else 0), unit="photos") as bar:
            asked: dict[str, Any] = {"seed": options.seed, "progress": bar.update}
            n = options.faithfulness_sample
            found = delete_and_insert(explainer, examples, open_image, n, types=types, **asked)
            found |= point_at_mosaics(explainer, plan, occluded, open_image, **asked)
            if self.boxes is not None:
                found |= point_at_boxes(explainer, self.boxes, open_image, **asked)
        return found

    def _types(self, main: Answers) -> list[str]:
        """Return all types of the run: those of the model, of the data, and those that were answered."""
        known = [self.names.names.get(name, name) for name in self.model.facts.types]
        found = (*known, *count_types(self.data.examples), *main.predicted.type_names().tolist())
        return [name for name in dict.fromkeys(found) if name != "O"]

    def _notes(self, main: Answers, met: set[str]) -> tuple[str, ...]:
        orphans = int(main.predicted.orphan.sum())
        found = pd.Series(main.predicted.type_names()).value_counts(sort=False)
        gold = count_types(self.data.examples)
        never = [name for name in self.names.names if name not in met | self.before]
        return tuple(
            filter(
                None,
                (
                    f"{orphans:,} orphan I- tags of the model: the strict score counts no name there, as seqeval does; "
                    "the lenient one reads them as B-."
                    if orphans
                    else "",
                    unknown_types(gold, {str(kind): int(n) for kind, n in found.items()}),
                    f"--map {listed(never)}: neither the data nor an answer has that type." if never else "",
                ),
            )
        )

    def _about(self, engine: OwnModelEngine, types: Sequence[str], notes: Sequence[str]) -> dict[str, Any]:
        """Return what the provenance says of the model."""
        model = self.model
        return {
            "model": {
                "factory": model.factory,
                "options": model.options,
                "digest": model.facts.digest,
                "gives": ["tags", *engine.parts],
                "map": dict(self.names.names),
                "batch": model.batch,
                "seconds": model.seconds,
                "notes": list(notes),
            },
            "probability": meaning(engine.parts),
            "types": list(types),
        }


def _facts(engine: OwnModelEngine, tagged: OwnTagged) -> dict[str, Any]:
    return {
        "dropped": {name: len(rows) for name, rows in tagged.skipped.items() if rows},
        "unreadable": {str(path): reason for path, reason in engine.images.unreadable.items()},
        "parts": engine.parts,
        "met": sorted(engine.met),
    }


def _joined(store: ShardStore) -> dict[str, Any]:
    """Return what the shards noted of the model's answers."""
    parts: dict[str, int] = {}
    met: set[str] = set()
    for facts in store.facts():
        parts |= facts["parts"]
        met.update(facts["met"])
    return {"parts": parts, "met": sorted(met)}


def _has_images(data: EvaluationSet) -> bool:
    return any(e.image is not None and e.image.is_file() for e in data.examples)

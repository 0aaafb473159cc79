"""Tags a data set shard by shard, alone or with other processes; a finished shard is never tagged again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis.conditions.conditions import ConditionPlan
from analysis.evaluation.condition_tagger import ConditionTagger
from analysis.evaluation.shard_store import ShardStore, files_digest
from analysis.evaluation.shard_vectors import shard_vectors
from analysis.evaluation.tagged_shard import TaggedShard, to_table
from analysis.evaluation.workers import Workers
from analysis.run.answers import Answers
from analysis.run.schema import VERSION
from mmner_core.data import dataset_digest
from mmner_core.runtime.memory import release_freed_memory
from mmner_core.runtime.progress import progress_bar

if TYPE_CHECKING:
    from analysis.evaluation.plan import RunPlan
    from analysis.run.evaluation_set import EvaluationSet
    from mmner_core.inference.tagger import Tagger

SHARD = 512


def tag_shards(
    tagger: Tagger,
    data: EvaluationSet,
    plan: RunPlan,
    store: ShardStore,
    *,
    convention: str | None = None,
    size: int = SHARD,
    workers: Workers | None = None,
) -> None:
    """Tag every shard of this process that is not finished yet, with a progress bar on a terminal.

    Args:
        tagger: the checkpoint.
        data: the sentences.
        plan: the conditions.
        store: where finished shards go.
        convention: annotation convention to read by.
        size: sentences per shard.
        workers: who else tags; process i takes the shards i, i + n, ...
    """
    workers = workers or Workers()
    mine = range(workers.index, store.n_shards, workers.count)
    todo = [shard for shard in mine if not store.finished(shard)]
    condition_tagger = ConditionTagger(tagger, convention)
    total = sum(len(_places(data, shard, size)) for shard in mine)
    left = sum(len(_places(data, shard, size)) for shard in todo)
    quiet = True if workers.index else None  # None: no bar unless stderr is a terminal
    with progress_bar("tagging", total, done=total - left, unit="sentences", quiet=quiet) as bar:
        for shard in todo:
            places = _places(data, shard, size)
            tagged, gold = _tag(condition_tagger, data, plan, places), [data.examples[i].tags or () for i in places]
            rows = to_table(tagged.answers, data, places.start)
            vectors = shard_vectors(
                tagged, gold, plan.main, tagger.labels.types, places.start, condition_tagger.aligned
            )
            store.write(shard, rows, vectors, _facts(condition_tagger, tagged))
            bar.update(len(places))
            release_freed_memory()


def tag_all(tagger: Tagger, data: EvaluationSet, plan: RunPlan, *, convention: str | None = None) -> Answers:
    """Tag a data set under one condition, in memory."""
    condition_tagger = ConditionTagger(tagger, convention)
    shards = (_places(data, shard, SHARD) for shard in range(n_shards(data, SHARD)))
    tables = [to_table(_tag(condition_tagger, data, plan, places).answers, data, places.start) for places in shards]
    return Answers.from_table(pa.concat_tables(tables))


def n_shards(data: EvaluationSet, size: int = SHARD) -> int:
    """Return how many shards a data set makes."""
    return -(-len(data) // size)


def job_record(
    tagger: Tagger, data: EvaluationSet, plan: RunPlan, *, convention: str | None, size: int, seed: int
) -> dict[str, Any]:
    """Return everything that finished shards depend on; shards of another record are useless."""
    return {
        "checkpoint": tagger.digest,
        **data_record(data, plan, size=size, seed=seed),
        "convention": convention,
        "arithmetic": arithmetic(tagger),
    }


def data_record(data: EvaluationSet, plan: RunPlan, *, size: int, seed: int) -> dict[str, Any]:
    """Return what finished shards depend on besides the model."""
    columns = json.dumps([data.kinds, data.sources, data.facts, [e.where for e in data.examples]])
    photos = [e.image for e in data.examples if e.image is not None]
    return {
        "schema": VERSION,
        "data": dataset_digest(data.examples),
        "columns": hashlib.sha256(columns.encode("utf-8", "surrogatepass")).hexdigest(),
        "photos": files_digest([*photos, *data.irrelevant]),
        "conditions": plan.names,
        "seed": seed,
        "shard": size,
    }


def arithmetic(tagger: Tagger) -> str:
    """Return the number format and the kind of device that a model computes in."""
    return f"{tagger.model.dtype} on {tagger.model.device.type}"


def _tag(condition_tagger: ConditionTagger, data: EvaluationSet, plan: RunPlan, places: range) -> TaggedShard:
    examples = [data.examples[i] for i in places]
    plans = list(_sliced(plan.conditions, places))
    return condition_tagger.tag([e.words for e in examples], [e.tags or () for e in examples], plans)


def _sliced(plans: Sequence[ConditionPlan], places: range) -> Iterator[ConditionPlan]:
    for plan in plans:
        yield replace(plan, sources=plan.sources[places.start : places.stop], skipped={})


def _facts(condition_tagger: ConditionTagger, tagged: TaggedShard) -> dict[str, Any]:
    return {
        "dropped": {name: len(rows) for name, rows in tagged.skipped.items() if rows},
        "unreadable": {str(path): reason for path, reason in condition_tagger.images.unreadable.items()},
    }


def _places(data: EvaluationSet, shard: int, size: int) -> range:
    return range(shard * size, min((shard + 1) * size, len(data)))

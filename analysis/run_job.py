"""Evaluate a checkpoint on a split and write the run folder: shards first, numbers after.

Nothing but the shard in hand and, at the end, one image condition after the other is in memory.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from analysis import summary
from analysis.heat_map_study import heat_map_honesty, pointing_game
from analysis.lexicon import Lexicon
from analysis.maps import build_maps
from analysis.parts import PartStore
from analysis.probe import Probe
from analysis.run_options import RunOptions, Stopwatch
from analysis.run_plan import MATCHED, RunPlan, condition_names, plan_facts, plan_run
from analysis.run_provenance import environment
from analysis.run_writer import write_run
from analysis.shards import job_record, n_shards, tag_shards
from analysis.train_data import surfaces_of, train_examples, train_facts
from analysis.umap_layout import UmapSettings
from analysis.vectors import sample_entities
from analysis.workers import Workers
from mmner_core.errors import InputError
from mmner_core.evaluate import gold_tags

if TYPE_CHECKING:
    import numpy as np

    from analysis.answers import Answers
    from analysis.evaluation_set import EvaluationSet
    from analysis.runs import Run
    from mmner_core.tagger import Tagger

_PROBLEMS_KEPT = 5
_UNREADABLE = "the photo cannot be decoded"


def evaluate_checkpoint(
    tagger: Tagger,
    data: EvaluationSet,
    out: Path,
    options: RunOptions,
    *,
    command: str,
    train: Sequence[Path] = (),
    valid: Callable[[], Answers | None] = lambda: None,
    workers: Workers | None = None,
) -> Path | None:
    """Write the run of a checkpoint.

    Args:
        tagger: the checkpoint.
        data: the sentences.
        out: the folder to write.
        options: how.
        command: for the provenance.
        train: training data, to tell seen names from new ones and to count leakage.
        valid: gives what this checkpoint said of other sentences, to fit the temperature on.
        workers: the processes that share the tagging; the first one writes the folder.

    Returns:
        The folder; None in every process but the first.

    Raises:
        InputError: if the folder exists and may not be overwritten, a condition cannot be had, a gold tag is unknown
            to the checkpoint, or it does not know the convention.
    """
    workers, watch = workers or Workers(), Stopwatch()
    _check(tagger, data, out, options)
    plan = _plan(tagger, data, options)
    folder = out.with_name(f".{out.name}.parts")
    job = job_record(tagger, data, plan, convention=options.convention, size=options.shard, seed=options.seed)
    store = PartStore.open(folder, job, n_shards(data, options.shard), owner=workers.index == 0)
    workers.wait()  # for the first process to have prepared the folder
    tag_shards(tagger, data, plan, store, convention=options.convention, size=options.shard, workers=workers)
    workers.wait()  # for the last shard of all
    if workers.index:
        return None
    watch.lap("tagging")
    run, vectors = store.run(out.name, plan.names), sample_entities(store.vectors(), seed=options.seed)
    metrics = _metrics(run, vectors, data, plan, valid(), train)
    watch.lap("scores")
    if options.studies and MATCHED in run.conditions:
        metrics |= _studies(tagger, data, options)
        watch.lap("heat maps")
    coordinates = build_maps(vectors, UmapSettings(seed=options.seed)) if options.maps else None
    watch.lap("maps")
    provenance = {
        "command": command,
        **_facts(tagger, data, options, train),
        **_tagging_facts(plan, store),
        "processes": workers.count,
        "arithmetic": job["arithmetic"],
        "seconds": watch.seconds,
    }
    write_run(
        out,
        (run.answers(condition).table for condition in run.conditions),
        metrics=metrics,
        provenance=provenance,
        lexicon=Lexicon.from_examples(train_examples(train)).restrict(surfaces_of(run)) if train else None,
        embeddings=vectors,
        coordinates=None if coordinates is None or coordinates.empty else pa.Table.from_pandas(coordinates),
        overwrite=options.overwrite,
    )
    store.remove()
    return out


def _check(tagger: Tagger, data: EvaluationSet, out: Path, options: RunOptions) -> None:
    if out.exists() and not options.overwrite:
        raise InputError(f"{out} exists already; choose another folder or add --overwrite.")
    if options.convention is not None and options.convention not in tagger.conventions:
        known = ", ".join(tagger.conventions) or "none to choose from"
        raise InputError(f"This checkpoint has no convention {options.convention!r} ({known}).")
    gold_tags(tagger.labels, data.examples)


def _plan(tagger: Tagger, data: EvaluationSet, options: RunOptions) -> RunPlan:
    return plan_run(
        data.examples,
        condition_names(options.conditions, corruptions=options.corruptions, hidden=options.studies),
        insist=[name for name in options.conditions if name != "all"],
        irrelevant=data.irrelevant,
        reads_images=tagger.reads_images,
        streams=tagger.model.config.fusion.streams,
        seed=options.seed,
    )


def _metrics(
    run: Run,
    vectors: dict[str, np.ndarray],
    data: EvaluationSet,
    plan: RunPlan,
    valid: Answers | None,
    train: Sequence[Path],
) -> dict[str, Any]:
    metrics: dict[str, Any] = {"sentences": len(data), "conditions": run.conditions}
    metrics |= summary.scores(run)
    metrics |= summary.modality(run)
    metrics |= summary.minimal_pairs(run)
    metrics |= summary.shapley(run)
    metrics |= summary.contrastive(run, vectors)
    metrics |= summary.calibration(run.answers(plan.main), valid)
    if train:
        metrics |= summary.leakage(train_examples(train), data.examples)
    return metrics


def _studies(tagger: Tagger, data: EvaluationSet, options: RunOptions) -> dict[str, Any]:
    from tqdm import tqdm

    probe = Probe(tagger.model, tagger.subwords)
    if not probe.grids:
        return {}  # a model whose only key is the pooled photo has no map
    asked: dict[str, Any] = {"convention": options.convention, "seed": options.seed}
    total = options.honesty_sample + options.pointing_sample
    with tqdm(total=total, desc="heat maps", unit=" photos", disable=None) as bar:
        asked["progress"] = bar.update
        metrics = heat_map_honesty(probe, data.examples, options.honesty_sample, **asked)
        return metrics | pointing_game(probe, data.examples, options.pointing_sample, **asked)


def _facts(tagger: Tagger, data: EvaluationSet, options: RunOptions, train: Sequence[Path]) -> dict[str, Any]:
    """Return what was asked of whom, with which data, where."""
    return {
        "data": data.to_json(),
        "checkpoint": {"path": str(tagger.checkpoint.path), "digest": tagger.digest},
        "types": list(tagger.labels.types),
        **train_facts(train),
        "options": asdict(options),
        "seed": options.seed,
        **environment(),
    }


def _tagging_facts(plan: RunPlan, store: PartStore) -> dict[str, Any]:
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

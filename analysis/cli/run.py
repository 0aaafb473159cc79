"""``run``: evaluate a checkpoint, or another system's output, and write the folder that app and report read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from analysis.cli.run_options import (
    Boxes,
    Calibrate,
    Checkpoint,
    Conditions,
    Convention,
    Corruptions,
    FaithfulnessSample,
    Images,
    Irrelevant,
    Lang,
    Limit,
    Map,
    Maps,
    Model,
    ModelBatch,
    ModelOption,
    ModelSeconds,
    Out,
    Overwrite,
    Pairs,
    PointingSample,
    Predictions,
    Seed,
    Shard,
    Split,
    Stress,
    Studies,
    Train,
)
from mmner_core.cli.options import TaggedData
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.evaluation.options import RunOptions
    from analysis.run.answers import Answers
    from analysis.run.evaluation_set import EvaluationSet
    from mmner_core.inference.tagger import Tagger


def run(
    data: TaggedData,
    out: Out,
    checkpoint: Checkpoint = None,
    predictions: Predictions = None,
    model: Model = None,
    model_option: ModelOption = None,
    model_batch: ModelBatch = 16,
    model_seconds: ModelSeconds = None,
    images: Images = None,
    split: Split = None,
    lang: Lang = None,
    convention: Convention = None,
    conditions: Conditions = "",
    corruptions: Corruptions = False,
    stress: Stress = False,
    limit: Limit = None,
    map_: Map = None,
    train: Train = None,
    pairs: Pairs = None,
    irrelevant: Irrelevant = None,
    calibrate: Calibrate = None,
    studies: Studies = True,
    faithfulness_sample: FaithfulnessSample = 12,
    pointing_sample: PointingSample = 80,
    boxes: Boxes = None,
    maps: Maps = True,
    seed: Seed = 19,
    shard: Shard = 512,
    overwrite: Overwrite = False,
) -> None:
    """Evaluate a checkpoint, your own model, or another system's output, and write a run folder.

    A killed run goes on where it was when the command is given again. Several processes share the work under
    "accelerate launch -m analysis run ..." (GPUs) or "torchrun --nproc-per-node N -m analysis run ..." (CPU).
    """
    from analysis.evaluation.options import RunOptions
    from analysis.evaluation.provenance import command_line
    from analysis.run.evaluation_set import read_evaluation_set
    from mmner_core.data.type_names import TypeNames

    if sum(given is not None for given in (checkpoint, predictions, model)) != 1:
        raise InputError(
            "Give one of --checkpoint, a model to evaluate, --model, a model of your own, and --predictions, another "
            "system's output."
        )
    names = TypeNames.parse(map_ or ())
    sentences = read_evaluation_set(data, images=images, language=lang, split=split, pairs=pairs, irrelevant=irrelevant)
    options = RunOptions(
        conditions=tuple(filter(None, map(str.strip, conditions.split(",")))),
        corruptions=corruptions,
        stress=stress,
        convention=convention,
        studies=studies,
        faithfulness_sample=faithfulness_sample,
        pointing_sample=pointing_sample,
        maps=maps,
        seed=seed,
        shard=shard,
        overwrite=overwrite,
    )
    if predictions is not None:
        from analysis.evaluation.external_job import evaluate_predictions

        facts: dict[str, Any] = {"limit": limit, "train": train or (), "overwrite": overwrite, "names": names}
        for note in evaluate_predictions(sentences, predictions, out, command=command_line(), **facts):
            typer.echo(note, err=True)
        typer.echo(out)
    elif model is not None:
        from analysis.cli.run_model import evaluate_model

        settings: dict[str, Any] = {"options": model_option or (), "batch": model_batch, "seconds": model_seconds}
        facts = {"names": names, "limit": limit, "train": train or (), "calibrate": calibrate, "boxes": boxes}
        for note in evaluate_model(model, sentences, out, options, settings=settings, **facts):
            typer.echo(note, err=True)
        typer.echo(out)
    elif checkpoint is not None and _evaluate(
        checkpoint, sentences.renamed(names), out, options, limit, train or [], calibrate, boxes
    ):
        typer.echo(out)


def _evaluate(
    checkpoint: Path,
    sentences: EvaluationSet,
    out: Path,
    options: RunOptions,
    limit: int | None,
    train: list[Path],
    calibrate: str | None,
    boxes: Path | None,
) -> bool:
    """Write the run of a checkpoint; say whether this is the process that wrote it."""
    from analysis.cli.calibrate import answers_to_fit_on
    from analysis.evaluation.job import Evaluation
    from analysis.evaluation.provenance import command_line
    from analysis.evaluation.workers import find_workers
    from analysis.heat_maps.boxes import read_boxes
    from mmner_core.evaluation.evaluate import first_of_each_language
    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job

    workers = find_workers()
    tagger = Tagger.load(checkpoint, device=workers.device)
    begin_long_job()
    chosen = sentences.take(first_of_each_language(sentences.examples, limit))
    evaluation = Evaluation(
        tagger=tagger,
        data=chosen,
        out=out,
        options=options,
        command=command_line(),
        train=train,
        valid=answers_to_fit_on(calibrate, tagger.digest, sentences, lambda split: _tag_split(tagger, split, options)),
        workers=workers,
        boxes=None if boxes is None else read_boxes(boxes, tagger.labels.types, split=sentences.facts["split"]),
    )
    return evaluation.run()


def _tag_split(tagger: Tagger, split: EvaluationSet, options: RunOptions) -> Answers:
    from analysis.evaluation.plan import MATCHED, NONE, plan_run
    from analysis.evaluation.shards import tag_all

    has_images = tagger.reads_images and any(e.image is not None and e.image.is_file() for e in split.examples)
    plan = plan_run(split.examples, (MATCHED if has_images else NONE,), seed=options.seed)
    return tag_all(tagger, split, plan, convention=options.convention)

"""``run --model``: evaluate a model of your own."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.evaluation.options import RunOptions
    from analysis.run.answers import Answers
    from analysis.run.evaluation_set import EvaluationSet
    from mmner_core.data.type_names import TypeNames


def evaluate_model(
    factory: str,
    sentences: EvaluationSet,
    out: Path,
    options: RunOptions,
    *,
    settings: Mapping[str, Any],
    names: TypeNames,
    limit: int | None,
    train: Sequence[Path],
    calibrate: str | None,
    boxes: Path | None,
) -> tuple[str, ...]:
    """Write the run of a model of your own.

    Args:
        factory: ``package.module:factory``.
        sentences: all sentences of the split.
        out: the folder to write.
        options: how.
        settings: ``options`` of the factory as ``NAME=VALUE``, ``batch`` and ``seconds``.
        names: what types are to be called.
        limit: only the first so many sentences of each language.
        train: training data.
        calibrate: a run of this model, or a split, to fit the temperature on.
        boxes: photos with boxes to measure heat maps on.

    Returns:
        What a reader of the scores should know, one sentence each.
    """
    from analysis.cli.calibrate import answers_to_fit_on
    from analysis.evaluation.own_model_job import OwnModelEvaluation
    from analysis.evaluation.provenance import command_line
    from analysis.heat_maps.boxes import read_boxes
    from analysis.own_model.process import ModelProcess
    from mmner_core.data.type_names import count_types
    from mmner_core.evaluation.evaluate import first_of_each_language

    if options.convention is not None:
        raise InputError("--convention is for checkpoints; a model of your own reads by none. Leave it out.")
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise InputError("A model of your own is asked by one process; start the run without a launcher.")
    chosen = sentences.take(first_of_each_language(sentences.examples, limit))
    arguments = dict(map(_argument, settings["options"]))
    with ModelProcess(factory, arguments, batch=settings["batch"], seconds=settings["seconds"]) as model:
        known = (*model.facts.types, *count_types(chosen.examples))
        types = [name for name in dict.fromkeys(names.names.get(name, name) for name in known) if name != "O"]
        evaluation = OwnModelEvaluation(
            model=model,
            data=chosen,
            out=out,
            options=options,
            command=command_line(),
            names=names,
            train=train,
            boxes=None if boxes is None else read_boxes(boxes, types, split=chosen.facts["split"], names=names),
        )

        def of_split(split: EvaluationSet) -> Answers:
            return evaluation.answers(replace(split, examples=tuple(names.rename(split.examples))))

        evaluation.valid = answers_to_fit_on(calibrate, model.facts.digest, sentences, of_split)
        return evaluation.run()


def _argument(setting: str) -> tuple[str, str]:
    name, sign, value = setting.partition("=")
    if not sign or not name.isidentifier():
        raise InputError(f"--model-option {setting!r} sets nothing; write NAME=VALUE, as in path=models/bert.")
    return name, value

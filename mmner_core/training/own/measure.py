"""Score a checkpoint on a user's data as ``evaluate`` does, and another beside it."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from mmner_core.checkpoints.folder import Checkpoint
from mmner_core.data import Example, dataset_digest
from mmner_core.data.type_names import count_types
from mmner_core.encoders.tokenizer import load_tokenizer
from mmner_core.evaluation.evaluate import score_tags
from mmner_core.inference.batches import predict_tags
from mmner_core.inference.image_loader import PhotoFiles
from mmner_core.inference.tagger import Tagger
from mmner_core.network.model import MMNER
from mmner_core.training.loop import Trainer
from mmner_core.training.own.plan import Plan


def best_tagger(trainer: Trainer, tokenizer: str) -> Tagger:
    """Return a tagger with the weights of a run's best epoch, as its checkpoint will tag."""
    model = MMNER.build(trainer.run.model)
    model.load_state_dict(trainer.best_weights())
    checkpoint = Checkpoint(
        path=Path(trainer.out / "checkpoint"),
        model=model.eval(),
        tokenizer=load_tokenizer(tokenizer),
        digest="",
        metrics={},
        provenance={},
    )
    return Tagger(checkpoint, device=str(trainer.accelerator.device))


def measure_own_training(plan: Plan, tagger: Tagger, device: str) -> dict[str, Any]:
    """Score a run's checkpoint on the test data, and on the old data beside the checkpoint that it began with.

    Returns:
        "test": records as ``evaluate --json`` prints them, with the photos and without, and as "before" the micro
        scores of the checkpoint, where it has all types; "kept": per file of old data the records of both, or None
        where the user named no such data.
    """
    task = plan.task
    before = Tagger.load(task.init, device=device) if task.init is not None else None
    annotated = [name for name in tagger.labels.types if name not in plan.absent]
    test = []
    for name, part in plan.data.test.items():
        has_images = plan.sees and any(example.image is not None for example in part)
        for photos in (True, False) if has_images else (False,):
            record = _score(tagger, name, part, annotated, task.convention, photos=photos)
            if before is not None and not plan.new:
                old = _score(before, name, part, annotated, task.convention, photos=photos)
                record["before"] = old["micro"]
            test.append(record)
    kept = None
    if before is not None and plan.data.keep:
        kept = []
        for name, part in plan.data.keep.items():
            types = list(count_types(part))
            old, new = (_score(each, name, part, types, None, photos=True) for each in (before, tagger))
            kept.append({"before": old, "after": new})
    return {"test": test, "kept": kept}


def _score(
    tagger: Tagger,
    name: str,
    examples: Sequence[Example],
    types: Collection[str],
    convention: str | None,
    *,
    photos: bool,
) -> dict[str, Any]:
    """Score a file, of the types that its annotators marked."""
    shown = photos and tagger.reads_images and any(example.image is not None for example in examples)
    source = PhotoFiles(tagger.model.config) if shown else None
    predicted = predict_tags(tagger.model, tagger.subwords, examples, source, convention=convention)
    gold = [list(example.tags or ()) for example in examples]
    return {
        **score_tags(examples, gold, predicted, set(tagger.labels.types).difference(types)),
        "sentences": len(examples),
        "image_condition": "matched" if shown else "none",
        "convention": convention or (tagger.conventions[0] if tagger.conventions else None),
        "types": list(types),
        "data": name,
        "data_digest": dataset_digest(examples),
    }

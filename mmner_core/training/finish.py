"""From a name to a checkpoint: train a named run, then write its best weights with scores, provenance and card."""

from __future__ import annotations

import json
import platform
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch

from mmner_core.checkpoints.folder import check_files, folder_digest, read_checkpoint_json, save_checkpoint
from mmner_core.config import ModelConfig, TextConfig
from mmner_core.data import Example
from mmner_core.encoders.text import resolve_text
from mmner_core.encoders.weights import find_text
from mmner_core.evaluation.scores import score
from mmner_core.inference.batches import predict_tags
from mmner_core.labels import without_types
from mmner_core.runtime.repository import REPOSITORY
from mmner_core.training.align import align, collect_pairs, low_match, named_things
from mmner_core.training.card import render_card
from mmner_core.training.config import Recipe
from mmner_core.training.loop import Trainer, TrainingProgress
from mmner_core.training.runs import named_run, with_settings

LIBRARIES = ("torch", "transformers", "tokenizers", "timm", "accelerate")


def train_named(
    name: str,
    data: Path,
    out: Path,
    tokenizer: str | None = None,
    *,
    init: Path | None = None,
    settings: Sequence[str] = (),
    command: str = "",
) -> Path:
    """Train the run of that name, resuming what ``out`` holds, and write ``out/checkpoint``.

    Args:
        name: one of :data:`~mmner_core.training.runs.RUNS`.
        data: folder that the run's sources are relative to.
        out: folder of the run; image features computed once go beside it.
        tokenizer: its folder or hub name; None: that of the checkpoint to begin with, else the text encoder's own.
        init: checkpoint folder to begin with; None: what the run says.
        settings: hyper-parameters that differ from the run's, as NAME=VALUE.
        command: what to record as the way to repeat it.

    Returns:
        the checkpoint's folder.

    Raises:
        InputError: if there is no such run, or data or pretrained weights are missing or malformed.
    """
    run = with_settings(named_run(name), settings)
    if init is not None:
        run = replace(run, training=replace(run.training, init=str(init)))
    run = replace(run, model=replace(run.model, text=begun_text(run)))
    tokenizer = tokenizer or run.training.init or find_text(run.model.text.name)
    return train_run(run, data, out, tokenizer, name=name, command=command)


def begun_text(run: Recipe) -> TextConfig:
    """Return the text encoder with its architecture: that of the checkpoint to begin with, else the named encoder's.

    Raises:
        InputError: if the checkpoint is damaged, or the encoder is not to be had.
    """
    if run.training.init is None:
        return resolve_text(run.model.text)
    folder = Path(run.training.init)
    check_files(folder)
    held = ModelConfig.from_dict(read_checkpoint_json(folder / "config.json"), str(folder / "config.json"))
    return replace(run.model.text, architecture=held.text.architecture)


def train_run(run: Recipe, data: Path, out: Path, tokenizer: str, *, name: str, command: str) -> Path:
    """Train a run and write ``out/checkpoint``; see :func:`train_named`. Its initial weights are in ``out/first``."""
    if run.then is not None:
        first = out / "first" / "checkpoint"
        if not first.is_dir():
            train_run(replace(run, then=None), data, out / "first", tokenizer, name=name, command=command)
        run = Recipe(model=run.model, training=replace(run.then, init=str(first)))
    trainer = Trainer(run, data, out, tokenizer)
    progress = trainer.train()
    folder = out / "checkpoint"
    if trainer.accelerator.is_main_process:  # the others are done; training has ended their connection
        write_checkpoint(trainer, progress, folder, tokenizer, name=name, command=command)
    return folder


def write_checkpoint(
    trainer: Trainer,
    progress: TrainingProgress,
    folder: Path,
    tokenizer: str,
    *,
    name: str,
    command: str,
    measured: Mapping[str, Any] | None = None,
    facts: Mapping[str, Any] | None = None,
    card: Callable[[ModelConfig, Mapping[str, Any], Mapping[str, Any]], str] = render_card,
) -> None:
    """Score the best epoch's weights on the validation split and save them with all that belongs to them.

    Args:
        trainer: of the run, which is over.
        progress: how far it came.
        folder: where to write.
        tokenizer: its folder or hub name.
        name: the run's.
        command: the way to repeat it.
        measured: what else is known of these weights, for ``metrics.json``.
        facts: what else there is to say of where they come from, for ``provenance.json``.
        card: renders the model card from config, metrics and provenance.
    """
    trainer.model.load_state_dict(trainer.best_weights())
    trainer.model.eval()
    match = _align(trainer) if trainer.config.align.ridge is not None and trainer.images is not None else {}
    metrics = {
        **match,
        "best_epoch": progress.best_epoch,
        "best_mean_f1": progress.best,
        "epochs": _epochs(trainer.out / "metrics.jsonl"),
        "valid": validation_scores(trainer),
        **(measured or {}),
    }
    described = describe_training(
        name=name,
        command=command,
        seed=trainer.config.seed,
        init=trainer.config.init,
        data=trainer.mixture.digests,
        device=trainer.accelerator.device,
        times=_times(trainer.out),
    )
    provenance = {**described, **(facts or {})}
    text = card(trainer.run.model, metrics, provenance)
    files = _tokenizer_files(tokenizer, trainer.out)
    save_checkpoint(folder, trainer.model, files, metrics=metrics, provenance=provenance, card=text)


def _align(trainer: Trainer) -> dict[str, Any]:
    """Align texts and photos; return a cosine that few matching pairs of the validation data fall below."""
    assert trainer.images is not None  # noqa: S101 (asked before)
    model, subwords, images = trainer.model, trainer.subwords, trainer.images
    config = trainer.config.align
    model.eval()
    paired = [item for item in trainer.mixture.train if not config.sources or item.source.path in config.sources]
    align(model, collect_pairs(model, subwords, paired, images), config)
    matched = [source for source in trainer.config.valid if source.images is not None and source.condition == "matched"]
    held_out = [item for source in matched for item in named_things(trainer.mixture.valid[source.key], source)]
    return {"match": {"low": low_match(model, collect_pairs(model, subwords, held_out, images))}}


def describe_training(
    *,
    name: str,
    command: str,
    seed: int,
    init: str | None,
    data: Mapping[str, str],
    device: torch.device,
    times: tuple[float, float],
) -> dict[str, Any]:
    """Return the provenance of a checkpoint, whatever stage of training it comes from.

    Args:
        name: the run's.
        command: the way to repeat it.
        seed: of everything random.
        init: checkpoint folder that it began with.
        data: SHA-256 of each source, by "role:path".
        device: where it was trained.
        times: when training began and ended, in seconds since 1970.
    """
    began, ended = times
    return {
        "run": name,
        "command": command,
        "seed": seed,
        "init": _origin(init),
        "data": dict(data),
        "versions": {"python": platform.python_version(), **{library: version(library) for library in LIBRARIES}},
        "commit": _commit(),
        "machine": {"processor": platform.machine(), "device": str(device)},
        "began": _iso(began),
        "ended": _iso(ended),
        "seconds": round(ended - began),
    }


def validation_scores(trainer: Trainer) -> list[dict[str, Any]]:
    """Score each validation source per language, with its images and, where it has some, without."""
    rows = []
    for source in trainer.config.valid:
        examples = trainer.mixture.valid[source.key]
        has_images = any(e.image is not None for e in examples)
        for condition in (source.condition, "none") if has_images else ("none",):
            images = None if condition == "none" else trainer.images
            with trainer.accelerator.autocast():
                predicted = predict_tags(trainer.model, trainer.subwords, examples, images)
            predicted = [without_types(tags, source.unannotated) for tags in predicted]
            for language in dict.fromkeys(e.language for e in examples):
                row = _score_language(examples, predicted, language)
                rows.append({"source": source.path, "images": condition, **row})
    return rows


def _score_language(
    examples: Sequence[Example], predicted: Sequence[list[str]], language: str | None
) -> dict[str, Any]:
    chosen = [i for i, e in enumerate(examples) if e.language == language]
    gold = [list(examples[i].tags or ()) for i in chosen]
    micro = score(gold, [predicted[i] for i in chosen])["micro"]
    return {"language": language, "sentences": len(chosen), **micro}


def _epochs(file: Path) -> list[dict[str, Any]]:
    """Return the validation records of each epoch."""
    records = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [record for record in records if "valid/mean" in record]


def _origin(init: str | None) -> dict[str, Any] | None:
    """Return digest and provenance of the checkpoint that the run began with."""
    if init is None:
        return None
    return {"checkpoint": folder_digest(Path(init)), **read_checkpoint_json(Path(init) / "provenance.json")}


def _times(out: Path) -> tuple[float, float]:
    """Return when training began and last ended, by the stamps of its files; the time between holds pauses too."""
    events = [int(file.name.split(".")[3]) for file in out.rglob("events.out.tfevents.*")]
    return min(events), (out / "state" / "progress.json").stat().st_mtime


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")


def _commit() -> str | None:
    """Return the commit of the code, marked where files differ from it; None outside a repository."""
    try:
        command = ["git", "-C", str(REPOSITORY), "describe", "--always", "--abbrev=40", "--dirty"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return None


def _tokenizer_files(tokenizer: str, out: Path) -> Path:
    """Return the folder of the tokenizer's files, fetching them where it is a hub name."""
    if (Path(tokenizer) / "tokenizer.json").is_file():
        return Path(tokenizer)
    from transformers import AutoTokenizer

    folder = out / "tokenizer"
    AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)
    return folder

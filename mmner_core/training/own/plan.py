"""From a user's data to a run: label set, what learns, and hyper-parameters by the size of the data."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mmner_core import presets
from mmner_core.checkpoints.folder import check_files, read_checkpoint_json
from mmner_core.config import ModelConfig
from mmner_core.data import Example, dataset_digest
from mmner_core.data.type_names import count_types
from mmner_core.encoders.text import resolve_text
from mmner_core.encoders.weights import find_text
from mmner_core.errors import InputError
from mmner_core.training.checks import check_mixture
from mmner_core.training.config import DataSource, Recipe, TrainConfig
from mmner_core.training.mixture import Mixture, TrainingItem
from mmner_core.training.own.data import OwnData, Part, read_own, sentences
from mmner_core.training.own.task import OwnTask
from mmner_core.training.runs import RUNS, with_settings
from mmner_core.training.sentences.augment import AugmentConfig

WINDOW = 256
"""Longest window, in sub-words, of an encoder that can read as much."""
TUNED_ON, TRAINED_ON = 8_000, 24_000
"""How many sentences a run reads in all, each counted whenever it is read, if it begins with a checkpoint or not."""
FEWEST_EPOCHS, MOST_EPOCHS = 3, 20
STEPS = 30
"""How many steps an epoch of few data has: batches are smaller then."""
SMALLEST_BATCH, LARGEST_BATCH = 4, 32
TUNING: dict[str, Any] = {
    "encoder_lr": 5e-5,
    "head_lr": 5e-4,
    "layer_decay": 0.95,
    "betas": (0.9, 0.98),
    "warmup": 0.06,
}
"""What differs from the defaults where a run begins with a checkpoint: half the rates that the shipped one was trained
with."""
AUGMENT = AugmentConfig(lower_case=0.03, drop_final=0.05, emoji=0.0, social=0.0, quotes=0.05)
"""Little: a user's data are of the kind that the model is to read."""
IMAGE_DROPOUT, RANDOM_IMAGE = 0.2, 0.1
"""Shares of the sentences with photos that are read without in an epoch, or beside another's."""
_OF_NAMED_RUNS = (
    *("epochs", "batch_subwords", "batch_sentences", "encoder_lr", "head_lr", "layer_decay", "betas"),
    *("weight_decay", "warmup", "clip", "precision", "seed", "workers"),
)
"""Hyper-parameters that have nothing to do with the data of the run that they come from."""
READERS = "grounding.readers."
HEADS = ("classifier.", "crf.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """A run on a user's data.

    Attributes:
        task: what was asked.
        data: what was read.
        run: model and hyper-parameters.
        mixture: the data as a trainer takes them.
        tokenizer: folder or hub name.
        new: types that the checkpoint to begin with does not know.
        absent: types of the checkpoint that the data do not mark: a word tagged ``O`` may be of one.
        sees: whether photos are read.
    """

    task: OwnTask
    data: OwnData
    run: Recipe
    mixture: Mixture
    tokenizer: str
    new: tuple[str, ...]
    absent: tuple[str, ...]
    sees: bool


def make_plan(task: OwnTask) -> Plan:
    """Read the data and decide how to train on them.

    Raises:
        InputError: if data, checkpoint, preset or settings are not to be had or of no use.
    """
    held = _held(task.init) if task.init is not None else None
    if task.convention is not None and held is not None and task.convention not in held.conventions:
        conventions = ", ".join(held.conventions) or "none to choose from"
        raise InputError(f"{task.init} has no convention {task.convention!r} ({conventions}).")
    preset = presets.preset(task.preset) if task.preset is not None else None
    known = held.types if held is not None else ()
    data = read_own(task, known)
    learnt = tuple(count_types(sentences(data.train)))
    new = tuple(name for name in learnt if name not in known)
    marked = count_types(sentences({**data.train, **data.valid, **data.test}))
    absent = tuple(name for name in known if name not in marked)
    config = held or preset
    assert config is not None  # noqa: S101 (a task has one of the two)
    eyes = bool(config.fusion.streams) and (config.vit is not None or config.cnn is not None)
    sees = eyes and any(e.image is not None for e in sentences(data.train))
    if preset is not None:
        model = _from_preset(preset if sees else presets.reading_only(preset), learnt)
        trainable: tuple[str, ...] = ()
    else:
        model = replace(config, types=(*known, *new))
        trainable = learning_parts(model, sees=sees, new=bool(new))
    folder = str(task.images or "images")
    train, valid = (_sources(part, folder if sees else None, absent) for part in (data.train, data.valid))
    mixture = _mixture(data, train, valid, task.convention)
    training = replace(
        hyper_parameters(task, len(mixture.train), _longest(model)),
        train=tuple(train.values()),
        valid=tuple(valid.values()),
        init=None if task.init is None else str(task.init),
        trainable=trainable,
    )
    run = with_settings(Recipe(model=model, training=training), task.settings)
    check_mixture(mixture, run.training, run.model)
    tokenizer = str(task.init) if task.init is not None else find_text(model.text.name)
    return Plan(task=task, data=data, run=run, mixture=mixture, tokenizer=tokenizer, new=new, absent=absent, sees=sees)


def learning_parts(model: ModelConfig, *, sees: bool, new: bool) -> tuple[str, ...]:
    """Return the name prefixes of the weights that are trained when a run begins with a checkpoint.

    Image encoders stay as they are. So does, without photos, all that only photos need; and what reads the cells of a
    photo, unless there are types that it does not know.

    Args:
        model: of the checkpoint.
        sees: whether there are photos.
        new: whether there are new types.
    """
    if not sees:
        # Attention that is not grounded is in the way of every word, also where there is no photo.
        in_the_way = bool(model.fusion.streams) and not model.fusion.grounded
        return ("text_encoder.", *(("fusion.",) if in_the_way else ()), *HEADS)
    looks = ("grounding.strength.", "grounding.hidden.", "grounding.look.", "gate.", *((READERS,) if new else ()))
    return ("text_encoder.", "to_width.", "fusion.", *(looks if model.fusion.grounded else ()), *HEADS)


def _held(init: Path) -> ModelConfig:
    check_files(init)
    return ModelConfig.from_dict(read_checkpoint_json(init / "config.json"), str(init / "config.json"))


def _from_preset(preset: ModelConfig, types: tuple[str, ...]) -> ModelConfig:
    return replace(preset, types=types, conventions=(), text=resolve_text(preset.text))


def _longest(model: ModelConfig) -> int:
    """Return the longest window; some encoders count positions from 2 on."""
    positions = (model.text.architecture or {}).get("max_position_embeddings", WINDOW + 2)
    return min(WINDOW, positions - 2)


def _sources(part: Part, images: str | None, absent: tuple[str, ...]) -> dict[str, DataSource]:
    """Describe the files of a part; ``images``: what to call the folder of their photos, None if these are not read."""
    sources = {}
    for name, examples in part.items():
        has_images = images is not None and any(example.image is not None for example in examples)
        sources[name] = DataSource(
            path=name,
            images=images if has_images else None,
            image_dropout=IMAGE_DROPOUT if has_images else 0.0,
            random_image=RANDOM_IMAGE if has_images else 0.0,
            unannotated=absent,
        )
    return sources


def _mixture(
    data: OwnData, train: dict[str, DataSource], valid: dict[str, DataSource], convention: str | None
) -> Mixture:
    items = [
        TrainingItem(shown, train[name])
        for name, examples in data.train.items()
        for shown in _shown(examples, train[name], convention)
    ]
    scored = {name: _shown(examples, valid[name], convention) for name, examples in data.valid.items()}
    digests = {f"train:{name}": dataset_digest(examples) for name, examples in data.train.items()}
    digests |= {f"valid:{name}": dataset_digest(examples) for name, examples in data.valid.items()}
    return Mixture(items, scored, digests)


def _shown(examples: Sequence[Example], source: DataSource, convention: str | None) -> list[Example]:
    blind = source.images is None
    return [replace(e, image=None if blind else e.image, convention=convention) for e in examples]


def hyper_parameters(task: OwnTask, n: int, window: int) -> TrainConfig:
    """Choose by the number of training sentences; a preset with a named run takes the values of that run."""
    source = (DataSource(path="own"),)
    named = RUNS.get(task.preset or "")
    if task.init is not None:
        options, wanted = TUNING, TUNED_ON
    else:
        options = {name: getattr(named().training, name) for name in _OF_NAMED_RUNS} if named else {}
        wanted = TRAINED_ON
    base = TrainConfig(**{"train": source, "valid": source, "augment": AUGMENT, "epochs": FEWEST_EPOCHS, **options})
    epochs = max(base.epochs, min(MOST_EPOCHS, math.ceil(wanted / n)))
    largest = min(LARGEST_BATCH, base.batch_sentences)
    return replace(
        base,
        epochs=epochs,
        batch_sentences=max(SMALLEST_BATCH, min(largest, n // STEPS)),
        patience=max(3, epochs // 4),
        window=window,
    )

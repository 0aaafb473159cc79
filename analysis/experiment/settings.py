"""The settings of an experiment, and the recipe that all its cells vary."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from analysis.experiment.sources import SourceSpec
from mmner_core.errors import InputError
from mmner_core.presets import PRESETS, preset
from mmner_core.training.config import DataSource, Recipe, TrainConfig
from mmner_core.training.runs import RUNS

_BEHIND_THE_TEXT = (
    "vit_encoder.", "cnn_encoder.", "text_projection.", "image_projections.", "contrastive.", "to_width.", "fusion.",
    "grounding.", "classifier.", "crf.",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class ExperimentSettings:
    """How to run an experiment.

    Attributes:
        runs: the folder of cells, run folders and tables.
        data: folder that all data sets lie in.
        preset: a named run, or a preset of the model.
        init: the checkpoint that every cell begins with; None: the pretrained encoders.
        seeds: how many; the first is that of the preset's run.
        train: what to train on; empty: what the preset's run trains on.
        test: what to test on; empty: what was trained on.
        limit: sentences per language of each training data set that has no number of its own; None: all.
        valid_limit: most validation sentences per language and data set; None: all.
        epochs: None: as the preset's run.
        top_layers: train only so many layers of the text encoder, the last ones; None: all that the preset trains.
        variants: only these rows of the grid; empty: all.
        alphas, temperatures: the values of ``alpha-temperature``.
        severities: of the corruptions of ``robustness``.
        command: what to record as the way to repeat it.
    """

    runs: Path
    data: Path
    preset: str = "mini"
    init: Path | None = None
    seeds: int = 2
    train: tuple[SourceSpec, ...] = ()
    test: tuple[SourceSpec, ...] = ()
    limit: int | None = None
    valid_limit: int | None = None
    epochs: int | None = None
    top_layers: int | None = None
    variants: tuple[str, ...] = ()
    alphas: tuple[float, ...] = (0.1, 0.5)
    temperatures: tuple[float, ...] = (0.01, 1.0)
    severities: tuple[int, ...] = (1, 3, 5)
    command: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the settings that a table states."""
        return {
            "preset": self.preset,
            "init": None if self.init is None else str(self.init),
            "test": ", ".join(map(str, self.test)) or "as trained on",
            "valid_limit": self.valid_limit,
            "top_layers": self.top_layers,
        }


def base_run(settings: ExperimentSettings) -> Recipe:
    """Return the preset's run, reading only the data sets asked for.

    Sentences without names (captions, clauses, our own) are left out of every cell: they come in all languages at
    once, and would tell a cell about a language that it is not to know.

    Raises:
        InputError: if there is no such preset, or nothing says what it is to be trained on.
    """
    if settings.preset in RUNS:
        run = RUNS[settings.preset]()
    elif settings.preset not in PRESETS:
        known = dict.fromkeys([*RUNS, *PRESETS])
        raise InputError(f"There is no preset {settings.preset!r}; choose one of {', '.join(known)}.")
    elif not settings.train:
        raise InputError(f"No run says what the preset {settings.preset!r} is trained on; name data sets with --train.")
    else:
        placeholder = (DataSource(path="."),)
        run = Recipe(model=preset(settings.preset), training=TrainConfig(train=placeholder, valid=placeholder))
    known_sources = {source.path: source for source in run.training.train}
    specs = settings.train or tuple(SourceSpec(path=path) for path in known_sources)
    specs = tuple(spec if spec.limit is not None else replace(spec, limit=settings.limit) for spec in specs)
    train = tuple(_source(spec, known_sources, settings.data) for spec in specs)
    valid = tuple(
        DataSource(path=s.path, images=s.images, convention=s.convention, limit=settings.valid_limit) for s in train
    )
    training = replace(
        run.training,
        train=train,
        valid=valid,
        captions=None,
        plain=0,
        name_free_clauses=0,
        epochs=settings.epochs or run.training.epochs,
        init=run.training.init if settings.init is None else str(settings.init),
    )
    return Recipe(model=run.model, training=training)


def with_top_layers(run: Recipe, top_layers: int) -> Recipe:
    """Return the run with only the last layers of the text encoder, and all that follows them, left to train.

    Backward passes then end there, so that a grid fits a small machine.

    Raises:
        InputError: if the encoder does not have so many layers.
    """
    layers = (run.model.text.architecture or {}).get("num_hidden_layers", 0)
    if top_layers > layers:
        raise InputError(f"--top-layers {top_layers}: the text encoder of this preset has {layers} layers.")
    learning = tuple(f"text_encoder.model.encoder.layer.{i}." for i in range(layers - top_layers, layers))
    return replace(run, training=replace(run.training, trainable=(*learning, *_BEHIND_THE_TEXT)))


def tested_sources(settings: ExperimentSettings, run: Recipe) -> tuple[DataSource, ...]:
    """Return what the cells are tested on: images and convention as in training unless stated otherwise."""
    known = {source.path: source for source in run.training.train}
    if not settings.test:
        return tuple(replace(source, limit=None) for source in known.values())
    return tuple(_source(spec, known, settings.data) for spec in settings.test)


def _source(spec: SourceSpec, known: dict[str, DataSource], data: Path) -> DataSource:
    photos = data / spec.path / "images"
    source = known.get(spec.path) or DataSource(
        path=spec.path, images=f"{spec.path}/images" if photos.is_dir() else None
    )
    return replace(source, convention=spec.convention or source.convention, limit=spec.limit)

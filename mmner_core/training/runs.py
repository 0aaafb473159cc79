"""Named runs: a function returns model, data and hyper-parameters; the command line takes only the name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from mmner_core import presets
from mmner_core.errors import InputError
from mmner_core.training.augment import AugmentConfig
from mmner_core.training.config import DataSource, Run, TrainConfig

PHOTOS = "mmwiki/images"


def mini() -> Run:
    """The shipped checkpoint: text, fusion and alignment together, images present from the first step."""
    pictured = partial(
        DataSource,
        images=PHOTOS,
        image_dropout=0.25,
        pairs="mmwiki/pairs.tsv",
        conventions_by={"mmnerd": "caption"},
    )
    train = (
        DataSource(path="wikineural", random_image=0.12),
        DataSource(path="mmnerd", convention="caption", random_image=0.12),
        pictured(path="mmwiki", random_image=0.12),
        pictured(path="mmwiki-short", random_image=0.08),
        DataSource(path="probe", images=PHOTOS, image_dropout=0.15, repeat=3),
    )
    valid = (
        DataSource(path="wikineural"),
        DataSource(path="mmnerd", convention="caption"),
        DataSource(path="mmwiki", images=PHOTOS),
        DataSource(path="mmwiki-short", images=PHOTOS),
        DataSource(path="probe", images=PHOTOS),
    )
    training = TrainConfig(
        train=train,
        valid=valid,
        captions="flickr8k/captions.tsv",
        plain=2,
        name_free_clauses=4000,
        epochs=3,
        encoder_lr=1e-4,
        head_lr=1e-3,
        layer_decay=0.95,
        betas=(0.9, 0.98),
        warmup=0.06,
        augment=AugmentConfig(lower_case=0.03, drop_final=0.1, emoji=0.02, social=0.02, quotes=0.05),
    )
    return Run(model=presets.mini(), training=training)


RUNS: dict[str, Callable[[], Run]] = {f.__name__: f for f in (mini,)}


def named_run(name: str) -> Run:
    """Return the run of that name.

    Raises:
        InputError: listing the names there are.
    """
    if name not in RUNS:
        raise InputError(f"There is no run {name!r}; choose one of {', '.join(RUNS)}.")
    return RUNS[name]()

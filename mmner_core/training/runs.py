"""Named runs: a function returns model, data and hyper-parameters; the command line takes only the name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from functools import partial

from mmner_core import presets
from mmner_core.config import parse
from mmner_core.errors import InputError
from mmner_core.training.config import AlignConfig, DataSource, Recipe, TrainConfig
from mmner_core.training.sentences.augment import AugmentConfig

PHOTOS = "mmwiki/images"
_with_images = partial(DataSource, images=PHOTOS, pairs="mmwiki/pairs.tsv", conventions_by={"mmnerd": "caption"})


def mini_text() -> Recipe:
    """First stage of the shipped checkpoint, the text tagger.

    It learns from encyclopaedias, captions, posts and sentences of ours, each read by its own convention.
    It reads no image, and of the paired corpora only mmwiki's sentences, so that ambiguous names stay open.
    """
    train = (
        DataSource(path="mmwiki", pairs="mmwiki/pairs.tsv", conventions_by={"mmnerd": "caption"}),
        DataSource(path="wikineural", cut=True, limit=2500),
        DataSource(path="wikineural"),
        DataSource(path="mmnerd", convention="caption"),
        DataSource(path="posts", convention="post", languages=("de", "es")),
        # The Broad Twitter Corpus knows persons, places and organisations only.
        DataSource(path="posts", convention="post", languages=("en",), unannotated=("MISC",)),
        DataSource(path="twitter2017", convention="post"),
    )
    valid = (
        DataSource(path="wikineural"),
        DataSource(path="mmnerd", convention="caption"),
        DataSource(path="mmwiki"),
        DataSource(path="posts", convention="post", unannotated=("MISC",)),
        DataSource(path="twitter2017", convention="post"),
    )
    training = TrainConfig(
        train=train,
        valid=valid,
        captions="flickr8k/captions.tsv",
        plain=2,
        name_free_clauses=4000,
        templates=2500,
        epochs=3,
        encoder_lr=1e-4,
        head_lr=1e-3,
        layer_decay=0.95,
        betas=(0.9, 0.98),
        warmup=0.06,
        augment=AugmentConfig(
            lower_case=0.03,
            drop_final=0.1,
            emoji=0.02,
            social=0.02,
            quotes=0.05,
            capitals=0.04,
            title_case=0.02,
        ),
    )
    return Recipe(model=presets.reading_only(presets.mini()), training=training, then=_posts_again(training))


def _posts_again(training: TrainConfig) -> TrainConfig:
    """Return an epoch of posts at half the rates, with as much of the rest as it takes not to forget it.

    Read together from the start, posts are outweighed by encyclopaedias and captions.
    """
    whole = [replace(source, limit=None if source.convention == "post" else 400) for source in training.train]
    return replace(
        training,
        train=tuple(source for source in whole if not source.cut),
        captions=None,
        plain=1,
        name_free_clauses=300,
        templates=200,
        epochs=1,
        encoder_lr=5e-5,
        head_lr=5e-4,
    )


def mini_fusion() -> Recipe:
    """Last stage of the shipped checkpoint: trains where on photos words attend to, and how far to trust them.

    Begins with what ``train-photos`` made of ``mini_text`` (``--init``). Text encoder and eye stay as they are, so that
    what is read without a photo stays as it was, to the last bit.
    """
    misled = partial(_with_images, random_image=0.2, nothing=0.15, near=1.0, away=0.3)
    train = (
        misled(path="mmwiki"),
        misled(path="mmwiki-short", mosaics=3000, contexts=0.3, bare=0.2),
        DataSource(path="wikineural", cut=True, limit=1000, random_image=0.6, nothing=0.4, away=0.3),
        DataSource(path="probe", images=PHOTOS, repeat=4, contexts=0.8, bare=0.1, nothing=0.25, near=1.0, mosaics=1000),
    )
    valid = (
        DataSource(path="mmwiki", images=PHOTOS),
        DataSource(path="mmwiki-short", images=PHOTOS),
        DataSource(path="probe", images=PHOTOS),
        DataSource(path="mmwiki", images=PHOTOS, condition="shuffled"),
        DataSource(path="mmwiki-short", images=PHOTOS, condition="shuffled"),
    )
    text = mini_text().training
    training = replace(
        text,
        train=train,
        valid=valid,
        trainable=("to_width.", "fusion.", "grounding.strength.", "grounding.hidden.", "grounding.look.", "gate."),
        boxes="grounding/boxes.jsonl",
        box_repeat=3,
        captions=None,
        plain=0,
        name_free_clauses=0,
        templates=0,
        epochs=2,
        gate_lr=3e-3,
        batch_subwords=2800,
        batch_sentences=96,
        augment=replace(text.augment, capitals=0.0, title_case=0.0),
        align=AlignConfig(ridge=1.0, sources=("mmwiki",)),
    )
    return Recipe(model=presets.mini(), training=training)


def mini() -> Recipe:
    """Text, fusion and alignment together, from the pretrained encoders: the full model of the ablations."""
    train = (
        DataSource(path="wikineural", random_image=0.12),
        DataSource(path="mmnerd", convention="caption", random_image=0.12),
        _with_images(path="mmwiki", image_dropout=0.25, random_image=0.12),
        _with_images(path="mmwiki-short", image_dropout=0.25, random_image=0.08, mosaics=2000),
        DataSource(path="probe", images=PHOTOS, image_dropout=0.15, repeat=3),
    )
    text = mini_text().training
    valid = (
        DataSource(path="wikineural"),
        DataSource(path="mmnerd", convention="caption"),
        DataSource(path="mmwiki", images=PHOTOS),
        DataSource(path="mmwiki-short", images=PHOTOS),
        DataSource(path="probe", images=PHOTOS),
    )
    augment = replace(text.augment, capitals=0.0, title_case=0.0)
    training = replace(text, train=train, valid=valid, templates=0, augment=augment)
    return Recipe(model=presets.mini(), training=training)


def paper() -> Recipe:
    """The paper's training: Adam at 5e-5, linear decay, no warm-up, batches of 32, 8 epochs, on MMNERD with its images.

    The best epoch is chosen on the validation split; their script takes the best score on the test split.
    """
    source = DataSource(path="mmnerd", images="mmnerd/images", augmented=False)
    training = TrainConfig(
        train=(source,),
        valid=(source,),
        epochs=8,
        batch_sentences=32,
        batch_subwords=32 * 512,  # the number of sentences alone decides
        encoder_lr=5e-5,
        head_lr=5e-5,
        weight_decay=0.0,  # AdamW without decay is Adam
        patience=3,
        seed=19,
    )
    return Recipe(model=presets.paper(), training=training)


def paper_code() -> Recipe:
    """The authors' script: every photo decoded and read anew in every epoch, full precision, gradients as they come."""
    run = paper()
    training = replace(run.training, precision="no", clip=math.inf, workers=2)
    return Recipe(model=presets.paper_code(), training=training)


def xlmr_siglip() -> Recipe:
    """XLM-R and SigLIP 2 on the paper's data, by what has become customary: warm-up, decay, a faster head."""
    run = paper()
    training = replace(run.training, encoder_lr=3e-5, head_lr=3e-4, weight_decay=0.01, warmup=0.06)
    source = replace(run.training.train[0], image_dropout=0.15)
    return Recipe(model=presets.xlmr_siglip(), training=replace(training, train=(source,)))


RUNS: dict[str, Callable[[], Recipe]] = {
    f.__name__: f for f in (mini_text, mini_fusion, mini, paper, paper_code, xlmr_siglip)
}


def named_run(name: str) -> Recipe:
    """Return the run of that name.

    Raises:
        InputError: listing the names there are.
    """
    if name not in RUNS:
        raise InputError(f"There is no run {name!r}; choose one of {', '.join(RUNS)}.")
    return RUNS[name]()


def with_settings(run: Recipe, settings: Sequence[str]) -> Recipe:
    """Return the run with some of its hyper-parameters replaced, in all its stages.

    Args:
        run: what to start from.
        settings: NAME=VALUE, NAME a field of :class:`TrainConfig`.

    Raises:
        InputError: naming a setting that is not one, or whose value cannot be read.
    """
    if not settings:
        return run
    names = [field.name for field in fields(TrainConfig)]
    values = {}
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in names or not value:
            raise InputError(f"{setting!r} sets nothing; write NAME=VALUE, NAME one of {', '.join(names)}.")
        values[name] = value

    def changed(training: TrainConfig) -> TrainConfig:
        return parse(TrainConfig, asdict(training) | values, "--set")

    return replace(run, training=changed(run.training), then=None if run.then is None else changed(run.then))

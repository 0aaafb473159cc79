"""Named runs: a function returns model, data and hyper-parameters; the command line takes only the name."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, fields, replace
from functools import partial

from mmner_core import presets
from mmner_core.config import parse
from mmner_core.errors import InputError
from mmner_core.training.augment import AugmentConfig
from mmner_core.training.config import DataSource, Run, TrainConfig

PHOTOS = "mmwiki/images"
_pictured = partial(DataSource, images=PHOTOS, pairs="mmwiki/pairs.tsv", conventions_by={"mmnerd": "caption"})


def mini() -> Run:
    """The shipped checkpoint: text, fusion and alignment together, images present from the first step."""
    train = (
        DataSource(path="wikineural", random_image=0.12),
        DataSource(path="mmnerd", convention="caption", random_image=0.12),
        _pictured(path="mmwiki", image_dropout=0.25, random_image=0.12),
        _pictured(path="mmwiki-short", image_dropout=0.25, random_image=0.08),
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


def mini_text() -> Run:
    """The text tagger: encyclopaedias, captions, posts and sentences of ours, each read by its own convention.

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
    first = mini()
    training = replace(
        first.training,
        train=train,
        valid=valid,
        templates=2500,
        augment=replace(first.training.augment, capitals=0.04, title_case=0.02),
    )
    return Run(model=presets.reading_only(presets.mini(), conventions=("wiki", "caption", "post")), training=training)


def paper() -> Run:
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
    return Run(model=presets.paper(), training=training)


def paper_code() -> Run:
    """The authors' script: every photo decoded and read anew in every epoch, full precision, gradients as they come."""
    run = paper()
    training = replace(run.training, precision="no", clip=math.inf, workers=2)
    return Run(model=presets.paper_code(), training=training)


def xlmr_siglip() -> Run:
    """XLM-R and SigLIP 2 on the paper's data, by what has become customary: warm-up, decay, a faster head."""
    run = paper()
    training = replace(run.training, encoder_lr=3e-5, head_lr=3e-4, weight_decay=0.01, warmup=0.06)
    source = replace(run.training.train[0], image_dropout=0.15)
    return Run(model=presets.xlmr_siglip(), training=replace(training, train=(source,)))


def mini_align() -> Run:
    """Third stage of the shipped checkpoint: the tuned CNN's photos find their place in the contrastive space again.

    Begins with ``mini`` after ``train-photos`` (``--init``). Only the projection of the photo is trained, so no tag and
    no probability changes.
    """
    first = mini()
    pictured = partial(DataSource, images=PHOTOS, pairs="mmwiki/pairs.tsv")
    training = replace(
        first.training,
        train=(pictured(path="mmwiki"), pictured(path="mmwiki-short")),
        trainable=("image_projections.",),
        captions=None,
        plain=0,
        name_free_clauses=0,
        epochs=2,
        batch_subwords=2800,
        batch_sentences=96,
    )
    return Run(model=presets.seeing_whole(first.model), training=training)


def mini_look() -> Run:
    """Fourth stage of the shipped checkpoint: words learn to look at photos as the tuned CNN sees them.

    Begins with ``mini_align`` (``--init``). The fusion of ``mini`` knows the photos of the untuned CNN alone. Only what
    a photo passes through is trained: the projection of its cells to the words' width, and queries and keys, which
    decide nothing where "no image" is the only key. So what is read without a photo stays as it was, to the last bit.
    One epoch: the CNN has seen these photos in training, and more of them fit them closer and new ones worse.
    """
    first = mini_align()
    train = (
        _pictured(path="mmwiki-short"),
        DataSource(path="probe", images=PHOTOS, repeat=5, contexts=0.8),
    )
    looks = (f"fusion.blocks.{stream}.{part}." for stream in first.model.fusion.streams for part in ("query", "key"))
    training = replace(first.training, train=train, trainable=("to_width.", *looks), epochs=1)
    return Run(model=first.model, training=training)


def mini_gate() -> Run:
    """Fifth stage of the shipped checkpoint: a gate, by which the text says how far the photo may change a word's tag.

    Begins with ``mini_look`` (``--init``) and trains the gate alone, so that what is read without a photo stays as it
    was, to the last bit. Short texts pay for looking, for a wrong photo misleads them most. In use a margin counts the
    doubts that training left against the photo.
    """
    first = mini_align()
    train = (
        _pictured(path="mmwiki", random_image=0.4, looking_cost=-0.05),
        _pictured(path="mmwiki-short", random_image=0.6, looking_cost=1.0),
        DataSource(path="wikineural", random_image=1.0, looking_cost=1.0, cut=True),
        DataSource(path="probe", images=PHOTOS, repeat=12, contexts=0.8, bare=0.1),
    )
    misled = (replace(s, condition="shuffled") for s in first.training.valid if s.path in ("mmwiki", "mmwiki-short"))
    training = replace(
        first.training,
        train=train,
        valid=(*first.training.valid, *misled),
        trainable=("gate.norm.", "gate.hidden.", "gate.open."),
        plain=1,
        name_free_clauses=600,
        epochs=3,
        head_lr=1e-2,
        weight_decay=0.3,
    )
    fusion = replace(first.model.fusion, gate=True, gate_members=8, gate_margin=-0.4)
    return Run(model=replace(first.model, fusion=fusion), training=training)


def mini_sentences() -> Run:
    """Last stage of the shipped checkpoint: the gate learns what a doubt is worth in a whole sentence.

    Begins with ``mini_gate`` (``--init``) and trains only what joins the gate in texts of more than eight words, so
    that shorter ones are read as before, to the last bit. A wrong photo does a whole sentence little harm, and now and
    then the right one settles what a name is: looking is paid for.
    """
    first = mini_gate()
    training = replace(
        first.training,
        train=(_pictured(path="mmwiki", random_image=0.6, looking_cost=-0.2),),
        trainable=("gate.long.",),
        plain=0,
        name_free_clauses=0,
        epochs=1,
        head_lr=3e-2,
        weight_decay=0.0,
    )
    return Run(model=first.model, training=training)


RUNS: dict[str, Callable[[], Run]] = {
    f.__name__: f
    for f in (mini, mini_text, mini_align, mini_look, mini_gate, mini_sentences, paper, paper_code, xlmr_siglip)
}


def named_run(name: str) -> Run:
    """Return the run of that name.

    Raises:
        InputError: listing the names there are.
    """
    if name not in RUNS:
        raise InputError(f"There is no run {name!r}; choose one of {', '.join(RUNS)}.")
    return RUNS[name]()


def with_settings(run: Run, settings: Sequence[str]) -> Run:
    """Return the run with some of its hyper-parameters set otherwise.

    Args:
        run: what to start from.
        settings: NAME=VALUE, NAME a field of :class:`TrainConfig`.

    Raises:
        InputError: naming a setting that is not one, or whose value cannot be read.
    """
    record = asdict(run.training)
    names = [field.name for field in fields(TrainConfig)]
    for setting in settings:
        name, _, value = setting.partition("=")
        if name not in names or not value:
            raise InputError(f"{setting!r} sets nothing; write NAME=VALUE, NAME one of {', '.join(names)}.")
        record[name] = value
    return replace(run, training=parse(TrainConfig, record, "--set")) if settings else run

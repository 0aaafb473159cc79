"""Makes training images in the run's folder: mosaics of its images with their sentences, and empty images.

They are files like the data's own photos, so that what a frozen encoder says of them is computed once.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from mmner_core.config import ModelConfig
from mmner_core.data import Example
from mmner_core.labels import tags_to_entities
from mmner_core.photos.images_of_nothing import KINDS, image_of_nothing
from mmner_core.photos.mosaics import Box, compose, random_layout, within
from mmner_core.photos.open import open_photo
from mmner_core.photos.preprocess import cut_box, in_threads
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.images.boxed_photos import BoxedPhoto, read_boxed_photos
from mmner_core.training.images.scenes import open_small
from mmner_core.training.mixture import TrainingItem
from mmner_core.training.sentences.contexts import in_open_context

log = logging.getLogger(__name__)
NOTHING = 400
"""How many images of nothing a run draws."""
_SIZES, _SIZE_SHARES = (1, 2, 4), (0.15, 0.5, 0.35)


def mosaic_items(items: Sequence[TrainingItem], config: TrainConfig, folder: Path) -> list[TrainingItem]:
    """Make the mosaics that the sources ask for; return an item for each sentence beside its mosaic.

    Only sentences with exactly one name are drawn, and no two photos of one mosaic show things of one type: no other
    part would fit.
    """
    made: list[TrainingItem] = []
    for number, source in enumerate(config.train):
        own = [item for item in items if item.source == source and item.aligned and _type(item)]
        if source.mosaics and own:
            rng = random.Random(f"{config.seed}/mosaics/{number}")
            plans = [_plan(own, rng) for _ in range(source.mosaics)]
            jobs = [(plan, i, [config.seed, number, i], folder) for i, plan in enumerate(plans)]
            folder.mkdir(parents=True, exist_ok=True)
            made += [item for part in in_threads(_make, jobs) for item in part]
    log.info("mosaics: %d sentences", len(made))
    return made


def _type(item: TrainingItem) -> str | None:
    names = tags_to_entities(item.example.tags or ())
    return names[0].type if len(names) == 1 and item.example.image is not None else None


def _plan(items: Sequence[TrainingItem], rng: random.Random) -> list[TrainingItem]:
    """Draw sentences whose photos show things of different types, as many as a mosaic has parts."""
    chosen: list[TrainingItem] = []
    wanted = rng.choices(_SIZES, _SIZE_SHARES)[0]
    for _ in range(50 * wanted):
        item = rng.choice(items)
        if all(_type(item) != _type(other) for other in chosen):
            chosen.append(item)
        if len(chosen) == wanted:
            break
    return chosen if len(chosen) in _SIZES else chosen[:1]


def _make(job: tuple[list[TrainingItem], int, list[int], Path]) -> list[TrainingItem]:
    plan, number, seed, folder = job
    rng = np.random.default_rng(seed)
    file = folder / f"mosaic-{seed[1]}-{number:05d}.jpg"
    photos = [open_small(item.example.image) for item in plan if item.example.image is not None]
    image, places = compose(photos, random_layout(len(photos), rng))
    image.save(file, quality=90)
    return [
        replace(
            item,
            example=replace(item.example, image=file),
            source=replace(item.source, random_image=0.0, nothing=0.0, image_dropout=0.0),
            region=(place,),
        )
        for item, place in zip(plan, places, strict=True)
    ]


def boxed_items(config: TrainConfig, data: Path, model: ModelConfig) -> list[TrainingItem]:
    """Return sentences of ours that name what photos with boxes show, in each language."""
    if config.boxes is None:
        return []
    table = data / config.boxes
    photos = read_boxed_photos(table, table.parent / "images", "train", model.types)
    rng = random.Random(f"{config.seed}/boxes")
    return [
        _in_context(photo, _within_crop(photo, model), language, rng)
        for photo in photos
        for language in LANGUAGES
        for _ in range(config.box_repeat)
    ]


def _in_context(photo: BoxedPhoto, region: tuple[Box, ...], language: str, rng: random.Random) -> TrainingItem:
    name = tuple(photo.name.split())
    tagged = (f"B-{photo.type}", *[f"I-{photo.type}"] * (len(name) - 1))
    words, tags = in_open_context(name, tagged, language, rng)
    example = Example(words=words, tags=tags, language=language, image=photo.file, where=str(photo.file))
    return TrainingItem(example, DataSource(path="boxes", near=1.0), region=region)


def _within_crop(photo: BoxedPhoto, model: ModelConfig) -> tuple[Box, ...]:
    """Return the boxes as shares of what the encoder reads of the photo; a box outside of that is left out."""
    encoder = model.cnn or model.vit
    assert encoder is not None  # noqa: S101 (a run that looks has one)
    width, height = open_photo(photo.file).size
    left, top, right, bottom = cut_box((width, height), encoder)
    seen = Box(left / width, top / height, right / width, bottom / height)
    return tuple(place for box in photo.boxes if (place := within(box, seen)) is not None)


def images_of_nothing(config: TrainConfig, folder: Path) -> list[Path]:
    """Draw images of nothing, where a source asks for them."""
    if not any(source.nothing for source in config.train):
        return []
    folder.mkdir(parents=True, exist_ok=True)
    rng = np.random.default_rng([config.seed, NOTHING])
    files = []
    for i in range(NOTHING):
        files.append(folder / f"nothing-{i:04d}.png")
        image_of_nothing(KINDS[i % len(KINDS)], rng).save(files[-1])
    return files

"""What teaches grounded attention in a run: mosaics of the data's photos, boxes, images of nothing, wrong photos."""

from __future__ import annotations

import json
import random
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

from mmner_core.labels import tags_to_entities
from mmner_core.photos.mosaics import Box
from mmner_core.presets import tiny_grounded
from mmner_core.training.batching import Epoch, OtherPhotos
from mmner_core.training.config import DataSource, Recipe
from mmner_core.training.images.made_images import boxed_items, images_of_nothing, mosaic_items
from mmner_core.training.loop import Trainer
from mmner_core.training.mixture import TrainingItem, build_mixture
from tests.core.training_run import DATA, tiny_run

SOURCE = DataSource(path="tiny", images="tiny/images", mosaics=12, nothing=0.3, random_image=0.3, near=0.5, away=0.25)


def run(tiny_bert: Path, **training: Any) -> Recipe:
    """Describe a run of the grounded tiny model."""
    plain = tiny_run(tiny_bert, frozen=True, **{"train": (SOURCE,), "epochs": 1, **training})
    fusion = replace(tiny_grounded().fusion, gated=False)
    return replace(plain, model=replace(plain.model, fusion=fusion))


@pytest.fixture
def items(tiny_bert: Path) -> list[TrainingItem]:
    """Return the sentences of the run."""
    return build_mixture(run(tiny_bert).training, DATA).train


def name_of(item: TrainingItem) -> str:
    """Return the type of a sentence's only name."""
    [entity] = tags_to_entities(item.example.tags or ())
    return entity.type


def test_a_mosaic_is_read_with_a_sentence_of_each_photo_in_it(
    items: list[TrainingItem], tiny_bert: Path, tmp_path: Path
) -> None:
    """Each sentence has one name, no two in a mosaic are of one type, and the region is its photo's part."""
    config = run(tiny_bert).training
    made = mosaic_items(items, config, tmp_path)
    beside = Counter(item.example.image for item in made)
    assert len(beside) == 12 and set(beside.values()) <= {1, 2, 4} and max(beside.values()) > 1
    for file in beside:
        parts = [item for item in made if item.example.image == file]
        assert len({name_of(item) for item in parts}) == len(parts)
        assert len({item.region for item in parts}) == len(parts)
        assert file is not None
        with Image.open(file) as image:
            assert image.width == image.height
    again = mosaic_items(items, config, tmp_path)
    assert [(i.example, i.region) for i in again] == [(i.example, i.region) for i in made]


def test_photos_with_boxes_are_named_in_every_language(tiny_bert: Path, tmp_path: Path) -> None:
    """Each is in as many contexts per language as asked, its boxes told in what the encoder reads of the photo."""
    (tmp_path / "images").mkdir()
    Image.new("RGB", (200, 100), "red").save(tmp_path / "images" / "a.png")
    row = {"split": "train", "image": "a.png", "name": "Acme Corp", "type": "ORG", "boxes": [[0.25, 0, 0.75, 0.5]]}
    (tmp_path / "boxes.jsonl").write_text(json.dumps(row) + "\n")
    described = run(tiny_bert, boxes="boxes.jsonl", box_repeat=2)
    made = boxed_items(described.training, tmp_path, described.model)
    assert Counter(item.example.language for item in made) == {"en": 2, "fr": 2, "de": 2, "es": 2}
    for item in made:
        assert name_of(item) == "ORG" and "Acme" in item.example.words
        assert item.region == (Box(0, 0, 1, 0.5),)  # the square in the middle of 200 x 100 is from 50 to 150


@pytest.mark.slow
def test_an_epoch_shows_wrong_photos_and_nothing_as_often_as_asked(
    items: list[TrainingItem], tiny_bert: Path, tmp_path: Path
) -> None:
    """Own photos are to be looked at, others and images of nothing not, each by its weight."""
    config = run(tiny_bert).training
    nothing = images_of_nothing(config, tmp_path)
    own = [item for item in items if item.example.image is not None and item.example.tags]
    epoch = Epoch(own * 20, config, nothing)
    kinds = Counter()
    for index in range(len(epoch)):
        sample, item = epoch[index], epoch.items[index]
        kind = "nothing" if sample.example.image in nothing else "own"
        kind = kind if sample.example.image == item.example.image or kind == "nothing" else "other"
        assert sample.looking == {"nothing": -1.0, "own": 0.5, "other": -0.25}[kind]
        assert sample.aligned == (kind == "own")
        kinds[kind] += 1
    shares = {kind: number / len(epoch) for kind, number in kinds.items()}
    assert shares["nothing"] == pytest.approx(0.3, abs=0.08) and shares["other"] == pytest.approx(0.3, abs=0.1)


def test_another_photo_is_of_another_type(items: list[TrainingItem]) -> None:
    """It shows nothing of a type that the sentence names."""
    photos, rng = OtherPhotos(items), random.Random(1)
    shown = {i.example.image: {e.type for e in tags_to_entities(i.example.tags or ())} for i in items}
    for item in items:
        own = {entity.type for entity in tags_to_entities(item.example.tags or ())}
        if (other := photos.draw(item, rng)) is not None:
            assert not own & shown[other]


@pytest.mark.slow
def test_a_run_teaches_where_to_look(tiny_bert: Path, tokenizer_folder: Path, tmp_path: Path) -> None:
    """Both losses are those of its own images, and training lowers them."""
    described = run(tiny_bert, epochs=2, head_lr=1e-2)
    trainer = Trainer(described, DATA, tmp_path / "out", tokenizer_folder)
    assert trainer.nothing and (tmp_path / "out" / "made_images").is_dir()
    batch = trainer.loader.collate_fn([trainer.epoch_data[i] for i in range(len(trainer.epoch_data))])

    @torch.no_grad()
    def losses() -> tuple[float, float]:
        model = trainer.model.eval()
        assert model.grounding is not None
        model.grounding.train()  # the share as it is learnt
        found = model(batch).losses
        return float(found["pointing"]), float(found["looking"])

    before = losses()
    trainer.train()
    assert min(before) > 0 and sum(losses()) < sum(before)

"""Batches for training: every sentence once, within bounds, the same again from the same seed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.data import Example
from mmner_core.errors import InputError
from mmner_core.inference.image_loader import PhotoFiles
from mmner_core.labels import LabelSet
from mmner_core.presets import tiny
from mmner_core.text.encoding import IGNORED_TAG, SubwordEncoder
from mmner_core.training.batching import Collator, Epoch, LengthBatches, Sample
from mmner_core.training.config import DataSource, TrainConfig
from mmner_core.training.mixture import TrainingItem
from mmner_core.training.sentences.augment import AugmentConfig
from mmner_core.training.sentences.contexts import open_contexts
from tests.told import refused

SOURCE = DataSource(path="data")
PHOTOS = Path(__file__).parents[1] / "data" / "tiny" / "images"
QUIET = AugmentConfig(lower_case=0, drop_final=0, emoji=0, social=0, quotes=0)


def config(**fields: Any) -> TrainConfig:
    """Return hyper-parameters without augmentation."""
    return TrainConfig(train=(SOURCE,), valid=(SOURCE,), **({"augment": QUIET} | fields))


def items(n: int, source: DataSource = SOURCE) -> list[TrainingItem]:
    """Return n sentences with a photo each."""
    return [
        TrainingItem(
            Example(words=("Word", str(i)), tags=("B-PER", "O"), image=Path(f"{i}.jpg"), language="en"), source
        )
        for i in range(n)
    ]


@given(
    lengths=st.lists(st.integers(1, 60), min_size=1, max_size=80),
    subwords=st.integers(60, 300),
    sentences=st.integers(1, 9),
    processes=st.integers(1, 3),
)
def test_an_epoch_reads_every_sentence(lengths: list[int], subwords: int, sentences: int, processes: int) -> None:
    """Once each, in batches within both bounds, as many for every process; only whole batches are repeated for that."""
    settings = config(batch_subwords=subwords, batch_sentences=sentences)
    sampler = LengthBatches(lengths, settings, processes)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert len(batches) % processes == 0
    distinct = {tuple(batch) for batch in batches}
    assert sorted(i for batch in distinct for i in batch) == list(range(len(lengths)))
    assert all(len(batch) <= sentences for batch in batches)
    assert all(len(batch) * max(lengths[i] for i in batch) <= subwords for batch in batches)


def test_batches_hold_sentences_of_like_length() -> None:
    """Padding adds less than a fifth, where batches in the file's order would double what is read."""
    lengths = [10 + 37 * i % 100 for i in range(500)]
    padded = sum(len(batch) * max(lengths[i] for i in batch) for batch in LengthBatches(lengths, config()))
    assert padded < 1.2 * sum(lengths)


def test_batches_follow_seed_and_epoch() -> None:
    """The same epoch gives the same batches, another epoch or seed others."""
    lengths = [*range(5, 60)]
    sampler = LengthBatches(lengths, config())
    first = sampler.batches(0)
    assert sampler.batches(0) == first
    assert sampler.batches(1) != first
    assert LengthBatches(lengths, config(seed=20)).batches(0) != first
    sampler.epoch = 1
    assert list(sampler) == sampler.batches(1)


def test_names_move_into_open_contexts_as_often_as_asked_for() -> None:
    """About so many sentences of an epoch are one of our contexts around the name; the others are as they were."""
    epoch = Epoch(items(400, replace(SOURCE, contexts=0.5)), config())
    read = [epoch[i].example for i in range(400)]
    moved = [e for e in read if len(e.words) != 2 or e.words[1].isalpha()]
    assert 160 <= len(moved) <= 240
    assert all(e.words[(e.tags or ()).index("B-PER")] == "Word" for e in read)
    assert all(tuple("_" if w == "Word" else w for w in e.words) in open_contexts("en") for e in moved)


def test_a_sentence_depends_on_its_epoch_and_index_alone() -> None:
    """Whatever was read before, sentence 3 of epoch 2 is the same."""
    source = replace(SOURCE, image_dropout=0.4, random_image=0.4)
    settings = config(augment=AugmentConfig(lower_case=0.5, drop_final=0.5, emoji=0.5, social=0.5))
    one, other = Epoch(items(30, source), settings), Epoch(items(30, source), settings)
    one.epoch = other.epoch = 2
    forwards = [one[i] for i in range(30)]
    backwards = [other[i] for i in reversed(range(30))][::-1]
    assert forwards == backwards
    other.epoch = 3
    assert [other[i] for i in range(30)] != forwards


def test_images_are_dropped_and_exchanged_as_often_as_asked() -> None:
    """About a quarter loses its photo and a quarter gets another one, which is no aligned pair."""
    source = replace(SOURCE, image_dropout=0.25, random_image=0.25)
    epoch = Epoch(items(400, source), config())
    samples = [epoch[i] for i in range(400)]
    own = [item.example.image for item in epoch.items]
    lost = sum(s.example.image is None for s in samples)
    other = sum(s.example.image not in (None, image) for s, image in zip(samples, own, strict=True))
    assert 70 <= lost <= 130 and 70 <= other <= 130
    assert all(s.aligned == (s.example.image == image) for s, image in zip(samples, own, strict=True))


def test_without_a_source_asking_nothing_changes() -> None:
    """No dropout, no exchange, no augmentation: the sentence as the file has it."""
    epoch = Epoch(items(5), config())
    assert [epoch[i] for i in range(5)] == [Sample(item.example, True) for item in epoch.items]


def test_an_unlabelled_sentence_counts_as_nameless() -> None:
    """A source of captions without tags teaches O."""
    item = TrainingItem(Example(words=("a", "dog"), tags=None), SOURCE)
    assert Epoch([item], config())[0].example.tags == ("O", "O")


def collator(subwords: SubwordEncoder, **options: Any) -> Collator:
    """Return a collator that reads the tiny photos."""
    return Collator(subwords, LabelSet(), ("wiki", "caption"), PhotoFiles(tiny()), **options)


def sample(n_words: int = 2, image: str | None = None, convention: str | None = None) -> Sample:
    """Return a sentence that begins with a person."""
    path = PHOTOS / image if image else None
    tags = ("B-PER", *["O"] * (n_words - 1))
    words = ("Ann", *["in"] * (n_words - 1))
    example = Example(words=words, tags=tags, image=path, image_id=image, convention=convention, where="f:1")
    return Sample(example, path is not None)


def test_a_long_sentence_becomes_several_rows(subwords: SubwordEncoder) -> None:
    """Each window is a row with its own tags, the sentence's image and convention; every word is in one of them."""
    batch = collator(subwords)([sample(150, "per-1.jpg", "caption"), sample()])
    assert batch.tags is not None and batch.aligned is not None
    rows = len(batch.input_ids)
    assert rows > 3
    assert (batch.tags != IGNORED_TAG).equal(batch.word_mask)
    assert int(batch.word_mask[:-1].sum()) >= 150
    assert batch.convention.tolist() == [1] * (rows - 1) + [0]
    assert batch.image_index.tolist() == [0] * (rows - 1) + [-1]
    assert batch.aligned.tolist() == [True] * (rows - 1) + [False]


def test_a_photo_is_decoded_once_per_batch(subwords: SubwordEncoder) -> None:
    """Sentences that share a photo share its row; a file that is not there is counted and read as no image."""
    collate = collator(subwords)
    batch = collate([sample(image=name) for name in ("per-1.jpg", "loc-1.jpg", "per-1.jpg", "gone.jpg")])
    assert batch.image_index.tolist() == [0, 1, 0, -1]
    assert batch.pixels is not None and batch.pixels.cnn.shape == (2, 3, 64, 64)
    counts = collate.images.counts
    assert (counts.present, counts.missing, counts.broken) == (3, 1, 0)


def test_an_unknown_tag_is_reported_with_its_line(subwords: SubwordEncoder) -> None:
    """Data of another label set is refused, saying where."""
    other = Sample(Example(words=("x",), tags=("B-DRUG",), where="data/train.txt:7"), False)
    with refused("data/train.txt:7", "'B-DRUG'"):
        collator(subwords)([other])


@pytest.mark.parametrize("fields", [{"epochs": 0}, {"batch_subwords": 0}, {"accumulation": 0}, {"train": ()}])
def test_impossible_hyperparameters_are_refused(fields: dict[str, Any]) -> None:
    """Zero epochs, empty batches or no data are told at once."""
    with pytest.raises(InputError, match="at least"):
        TrainConfig(**({"train": (SOURCE,), "valid": (SOURCE,)} | fields))

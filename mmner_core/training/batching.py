"""Batches for training: sentences of like length together, augmented and encoded afresh in every epoch."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from torch.utils.data import Dataset, Sampler

from mmner_core.data import Example
from mmner_core.inference.image_loader import ImageLoader
from mmner_core.labels import OUTSIDE, LabelSet, split_tag, tags_to_entities
from mmner_core.photos.mosaics import Box, cells_inside
from mmner_core.text.encoding import Batch, SubwordEncoder, collate
from mmner_core.training.config import TrainConfig
from mmner_core.training.mixture import TrainingItem
from mmner_core.training.sentences.augment import augment
from mmner_core.training.sentences.contexts import in_open_context


class Sample(NamedTuple):
    """A sentence of one epoch.

    Attributes:
        example: the sentence, with its image in this epoch.
        aligned: whether it and its image belong together (``Item.aligned``).
        unannotated: types that its annotators did not mark.
        region: where the image shows what it names, as shares of what the encoder reads; empty: that is not known.
        looking: how much it counts that its names look at the image, or, below 0, that they leave it alone.
    """

    example: Example
    aligned: bool
    unannotated: tuple[str, ...] = ()
    region: tuple[Box, ...] = ()
    looking: float = 0.0


class Epoch(Dataset[Sample]):
    """The sentences of one epoch; what happens to sentence i depends on (seed, epoch, i) alone."""

    def __init__(self, items: Sequence[TrainingItem], config: TrainConfig, nothing: Sequence[Path] = ()) -> None:
        self.items = items
        self.config = config
        self.epoch = 0
        self.nothing = sorted(nothing)
        self.pool = OtherPhotos(items)

    def __len__(self) -> int:
        return len(self.items)

    def __getitem__(self, index: int) -> Sample:
        item = self.items[index]
        rng = random.Random(f"{self.config.seed}/{self.epoch}/{index}")
        example = item.example
        words, tags = example.words, example.tags or (OUTSIDE,) * len(example.words)
        if item.source.contexts and rng.random() < item.source.contexts:
            words, tags = in_open_context(words, tags, example.language, rng, item.source.bare)
        if item.source.augmented:
            words, tags = augment(words, tags, config=self.config.augment, rng=rng)
        image, looking = self._image(item, rng)
        own = image is not None and image == example.image
        shown = replace(example, words=words, tags=tags, image=image)
        return Sample(shown, item.aligned and own, item.source.unannotated, item.region if own else (), looking)

    def _image(self, item: TrainingItem, rng: random.Random) -> tuple[Path | None, float]:
        """Remove the image, or replace it by another or by one of nothing, with the source's probabilities.

        Returns:
            the image, and how much it counts that names look at it, or, below 0, that they leave it alone.
        """
        image, source = item.example.image, item.source
        draw = rng.random()
        if draw < source.image_dropout:
            return None, 0.0
        draw -= source.image_dropout
        if draw < source.random_image and (other := self.pool.draw(item, rng)) is not None:
            return other, -source.away
        if source.random_image <= draw < source.random_image + source.nothing and self.nothing:
            return rng.choice(self.nothing), -1.0
        return image, source.near if item.aligned else -source.away


class OtherPhotos:
    """The photos of some sentences by the types that they name, to draw one of another type."""

    def __init__(self, items: Sequence[TrainingItem]) -> None:
        self._by_type: dict[str, list[Path]] = {}
        named: dict[Path, set[str]] = {}
        for item in items:
            if item.example.image is not None and item.aligned and not item.region:
                named.setdefault(item.example.image, set()).update(_types(item))
        for image in sorted(named):
            kinds = named[image]
            self._by_type.setdefault(next(iter(kinds)) if len(kinds) == 1 else "", []).append(image)

    def draw(self, item: TrainingItem, rng: random.Random) -> Path | None:
        """Return a photo of another type than the sentence names, or of any if there is none; None without photos."""
        own = _types(item)
        pools = [photos for kind, photos in self._by_type.items() if kind not in own] or list(self._by_type.values())
        drawn = rng.choices(pools, weights=[len(photos) for photos in pools])[0] if pools else []
        return rng.choice(drawn) if drawn else None


def _types(item: TrainingItem) -> set[str]:
    return {entity.type for entity in tags_to_entities(item.example.tags or ())}


class LengthBatches(Sampler[list[int]]):
    """Batches of sentences of like length, bounded by padded sub-words; in random order.

    Their number is a multiple of ``processes``, so that every process of a distributed run takes as many steps.
    """

    def __init__(self, lengths: Sequence[int], config: TrainConfig, processes: int = 1) -> None:
        self.lengths = lengths
        self.config = config
        self.processes = processes
        self.epoch = 0

    def batches(self, epoch: int) -> list[list[int]]:
        """Return the batches of an epoch."""
        rng = random.Random(f"{self.config.seed}/{epoch}")
        noisy = sorted(range(len(self.lengths)), key=lambda i: self.lengths[i] * rng.uniform(0.9, 1.1))
        batches: list[list[int]] = [[]]
        longest = 0
        for i in noisy:
            longest = max(longest, self.lengths[i])
            full = (len(batches[-1]) + 1) * longest > self.config.batch_subwords
            if batches[-1] and (full or len(batches[-1]) >= self.config.batch_sentences):
                batches.append([])
                longest = self.lengths[i]
            batches[-1].append(i)
        rng.shuffle(batches)
        short = -len(batches) % self.processes
        return batches + list(islice(cycle(batches), short))

    def __iter__(self) -> Iterator[list[int]]:
        return iter(self.batches(self.epoch))

    def __len__(self) -> int:
        return len(self.batches(self.epoch))


class Collator:
    """Encodes sentences and loads their images: a list of samples becomes a batch."""

    def __init__(
        self,
        subwords: SubwordEncoder,
        labels: LabelSet,
        conventions: Sequence[str],
        images: ImageLoader | None,
        *,
        random_crop: bool = False,
        grids: Mapping[str, tuple[int, int]] | None = None,
    ) -> None:
        self.subwords = subwords
        self.labels = labels
        self.conventions = {name: i for i, name in enumerate(conventions)}
        self.images = images
        self.random_crop = random_crop
        self.grids = grids or {}

    def __call__(self, samples: Sequence[Sample]) -> Batch:
        """Build a batch; a sentence longer than a window becomes several rows, so that no word is lost."""
        rows, tags, conventions, shown, aligned, looking = [], [], [], [], [], []
        regions: list[tuple[Box, ...]] = []
        unannotated: list[list[bool]] = []
        encoded = self.subwords.windows([sample.example.words for sample in samples])
        for (example, belongs, types, region, wanted), windows in zip(samples, encoded, strict=True):
            indices = self.labels.encode(example.tags or (), example.where)
            not_given = [split_tag(tag)[1] in types for tag in self.labels.tags]
            for window in windows:
                rows.append(window)
                tags.append(indices[window.start : window.stop])
                conventions.append(self.conventions.get(example.convention or "", 0))
                shown.append(example)
                aligned.append(belongs)
                looking.append(wanted if example.image is not None else 0.0)
                regions.append(region)
                unannotated.append(not_given)
        rng = np.random.default_rng(random.getrandbits(64)) if self.random_crop else None
        loaded = self.images.load(shown, rng) if self.images is not None else None
        return collate(
            rows,
            pad=self.subwords.pad,
            conventions=conventions,
            tags=tags,
            image_index=loaded.rows if loaded else None,
            pixels=loaded.pixels if loaded else None,
            image_states=loaded.states if loaded else None,
            image_key=[image_key(example.image) for example in shown],
            aligned=aligned,
            unannotated=torch.tensor(unannotated) if any(map(any, unannotated)) else None,
            regions={stream: _cells(regions, grid) for stream, grid in self.grids.items()} if any(regions) else None,
            looking=looking if any(looking) else None,
        )


def _cells(regions: Sequence[tuple[Box, ...]], grid: tuple[int, int]) -> torch.Tensor:
    """Return the cells of each region, [B, P] bool."""
    return torch.from_numpy(np.stack([cells_inside(region, grid).ravel() for region in regions]))


def image_key(image: Path | None) -> int:
    """Name an image by an integer that is the same in every process."""
    return int.from_bytes(hashlib.blake2b(str(image).encode("utf-8", "surrogateescape"), digest_size=7).digest())

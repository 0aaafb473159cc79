"""Loads a batch's images: decoded from files, or read from stored features.

Shapes: U distinct images.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mmner_core.config import ImageConfig, ModelConfig
from mmner_core.data import Example
from mmner_core.data.image_counts import ImageCounts, load_photo
from mmner_core.encoders.image import CnnEncoder, ImageStates, VitEncoder
from mmner_core.inference.feature_store import FeatureStore, digest_files, preprocessing_of, weights_digest
from mmner_core.network.model import MMNER
from mmner_core.photos.open import Photo
from mmner_core.photos.preprocess import cut_squares, decode_size, in_threads, normalise, to_pixels
from mmner_core.text.encoding import Pixels

log = logging.getLogger(__name__)
SHARD = 128
"""Images that are decoded, encoded and written together."""
ENCODED = 32
"""Images that pass an encoder together."""


@dataclass(frozen=True, slots=True)
class LoadedImages:
    """The distinct images of a batch.

    Attributes:
        rows: for each sentence the row of its image, -1 where it has none.
        pixels, states: the images, in one form or the other; both None where there is no image.
    """

    rows: list[int]
    pixels: Pixels | None = None
    states: ImageStates | None = None


class ImageLoader(Protocol):
    """Loads the images of a batch of sentences."""

    counts: ImageCounts

    def load(self, examples: Sequence[Example], rng: np.random.Generator | None = None) -> LoadedImages:
        """Return the distinct images of the sentences; a missing or broken one counts as none and is recorded."""
        ...


class PhotoFiles:
    """Decodes photos when they are needed."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.counts = ImageCounts()
        self._target = decode_size(config.vit, config.cnn)

    def load(self, examples: Sequence[Example], rng: np.random.Generator | None = None) -> LoadedImages:
        """Decode and preprocess each distinct photo once; ``rng`` asks for training's random crop."""
        first = {(e.image, e.image_id if e.image is None else None): e for e in reversed(examples)}
        opened = dict(zip(first, self.open_all(list(first.values())), strict=True))
        index: dict[Path | None, int] = {}
        photos: list[Photo] = []
        rows = []
        for example in examples:
            photo, counts = opened[example.image, example.image_id if example.image is None else None]
            self.counts.add(counts)
            if photo is not None and example.image not in index:
                index[example.image] = len(photos)
                photos.append(photo)
            rows.append(index.get(example.image, -1))
        if not photos:
            return LoadedImages(rows)
        pixels, _ = to_pixels(photos, self.config.vit, self.config.cnn, rng)
        return LoadedImages(rows, pixels=pixels)

    def open_all(self, examples: Sequence[Example]) -> list[tuple[Photo | None, ImageCounts]]:
        """Decode the photo of each sentence, several at a time."""
        return in_threads(self._open, examples)

    def _open(self, example: Example) -> tuple[Photo | None, ImageCounts]:
        """Decode a sentence's photo; return it with what became of it."""
        counts = ImageCounts()
        return load_photo(example, counts, target=self._target), counts


class StoredImages:
    """Computes what never changes about an image once for all epochs and runs, and reads it from the disk.

    Of a frozen encoder that is what it says; of an encoder that learns, but always sees the same square of a photo, the
    pixels of that square. A CNN of which only the pooled vector is used is stored as a map of one cell.

    Args:
        model: with its weights loaded.
        examples: every sentence that will be asked for.
        root: folder of the stores.
        dtype: number format in which features are computed and kept.

    Raises:
        InputError: if a stored file is damaged.
    """

    def __init__(self, model: MMNER, examples: Sequence[Example], root: Path, dtype: torch.dtype) -> None:
        if not can_store(model.config):
            raise ValueError("An image encoder is shown another part of a photo each time; use PhotoFiles.")
        self.counts = ImageCounts()
        self.config = model.config
        self._encoders = {
            name: _StoredEncoder(name, model, dtype) for name in ("vit", "cnn") if getattr(model.config, name)
        }
        self._stores = {name: FeatureStore(root, part.kind, part.depends_on) for name, part in self._encoders.items()}
        distinct = {e.image: e for e in examples if e.image is not None}
        self._digests = digest_files(distinct)
        self._compute({self._digests[path]: e for path, e in distinct.items() if path in self._digests})

    def load(self, examples: Sequence[Example], rng: np.random.Generator | None = None) -> LoadedImages:
        """Look the images up; ``rng`` is not used, since only the centre crop is known."""
        used: dict[str, int] = {}
        rows = []
        for example in examples:
            digest = self._known(example)
            rows.append(-1 if digest is None else used.setdefault(digest, len(used)))
        if not used:
            return LoadedImages(rows)
        values = {name: store.read(list(used)) for name, store in self._stores.items()}
        squares = {name: value for name, value in values.items() if self._encoders[name].keeps_pixels}
        states = {name: values[name].float() if name in values.keys() - squares else None for name in ("vit", "cnn")}
        pixels = {name: normalise(list(value.numpy()), getattr(self.config, name)) for name, value in squares.items()}
        return LoadedImages(
            rows,
            pixels=Pixels(**pixels) if pixels else None,
            states=ImageStates(**states) if values.keys() - squares else None,
        )

    def _known(self, example: Example) -> str | None:
        """Return the digest under which the example's image is stored, and count the outcome."""
        digest = None if example.image is None else self._digests.get(example.image)
        if digest is not None and all(digest in store for store in self._stores.values()):
            self.counts.present += 1
            return digest
        if example.image is None and example.image_id is None:
            self.counts.without += 1
        elif digest is None:
            self.counts.missing += 1
        else:
            self.counts.broken += 1
        return None

    @torch.no_grad()
    def _compute(self, examples: dict[str, Example]) -> None:
        """Decode and encode the images that a store lacks, a shard at a time."""
        from tqdm import tqdm

        lacking = [digest for digest in examples if any(digest not in store for store in self._stores.values())]
        files, counts = PhotoFiles(self.config), ImageCounts()
        for start in tqdm(range(0, len(lacking), SHARD), desc="images, once", unit="shard", disable=not lacking):
            digests = lacking[start : start + SHARD]
            decoded: dict[str, Photo] = {}
            for digest, (photo, own) in zip(digests, files.open_all([examples[d] for d in digests]), strict=True):
                counts.add(own)
                if photo is not None:
                    decoded[digest] = photo
            for name, store in self._stores.items():
                missing = [d for d in decoded if d not in store]
                if missing:
                    store.add(missing, self._encoders[name].compute([decoded[d] for d in missing]))
        if counts.problems:
            log.warning("%s", counts.summary())


class _StoredEncoder:
    """What is stored for one encoder: its features, or the squares that it reads."""

    def __init__(self, name: str, model: MMNER, dtype: torch.dtype) -> None:
        self.config: ImageConfig = getattr(model.config, name)
        self.keeps_pixels = not self.config.is_constant
        self.encoder: VitEncoder | CnnEncoder = getattr(model, f"{name}_encoder")
        self.dtype = dtype
        pooled_only = model.config.vit is not None and model.config.fusion.cnn_keys == "pooled"
        self.pools = name == "cnn" and pooled_only and not self.keeps_pixels
        self.kind = f"{name}_pixels" if self.keeps_pixels else name
        self.depends_on: list[object] = [preprocessing_of(self.config)]
        if not self.keeps_pixels:
            self.depends_on += [self.config.name, weights_digest(self.encoder), str(dtype), self.pools]

    def compute(self, photos: Sequence[Photo]) -> Tensor:
        """Return what to store of each photo, [len(photos), ...]."""
        squares = [square.array for square in cut_squares(photos, self.config)]
        if self.keeps_pixels:
            return torch.from_numpy(np.stack(squares))
        parts = [self._encode(squares[start : start + ENCODED]) for start in range(0, len(squares), ENCODED)]
        return torch.cat(parts)

    def _encode(self, squares: list[np.ndarray]) -> Tensor:
        self.encoder.eval()
        device = next(self.encoder.parameters()).device
        with torch.autocast(device.type, self.dtype, enabled=self.dtype != torch.float32):
            states = self.encoder(normalise(squares, self.config).to(device))
        if self.pools:
            states = states.mean((2, 3), keepdim=True)
        return states.to("cpu", self.dtype)


def can_store(config: ModelConfig) -> bool:
    """Say whether each image encoder is frozen or always sees the same square of a photo."""
    encoders = [encoder for encoder in (config.vit, config.cnn) if encoder is not None]
    return bool(encoders) and all(encoder.is_constant or encoder.sees_one_square for encoder in encoders)

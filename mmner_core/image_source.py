"""Where a batch's images come from: decoded from files, or read from features computed once.

Shapes: U distinct images.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from mmner_core.config import ModelConfig
from mmner_core.data import Example
from mmner_core.data.image_counts import ImageCounts, load_photo
from mmner_core.data.images import Photo
from mmner_core.encoders.image import ImageStates
from mmner_core.encoding import Pixels
from mmner_core.model import MMNER
from mmner_core.preprocess import decode_size, to_pixels

log = logging.getLogger(__name__)


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


class ImageSource(Protocol):
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
        index: dict[Path | None, int] = {}
        photos: list[Photo] = []
        rows = []
        for example in examples:
            if example.image is not None and example.image in index:
                self.counts.present += 1
            elif photo := self._open(example):
                index[example.image] = len(photos)
                photos.append(photo)
            rows.append(index.get(example.image, -1))
        if not photos:
            return LoadedImages(rows)
        pixels, _ = to_pixels(photos, self.config.vit, self.config.cnn, rng)
        return LoadedImages(rows, pixels=pixels)

    def _open(self, example: Example) -> Photo | None:
        return load_photo(example, self.counts, target=self._target)


class FrozenFeatures:
    """Encodes every image once with a frozen CNN and keeps the result (bf16, on disk and in memory).

    Only for a model whose one image encoder is a frozen CNN: then what it sees of a photo never changes.
    """

    def __init__(self, model: MMNER, examples: Sequence[Example], folder: Path, batch_size: int = 64) -> None:
        distinct = {e.image: e for e in examples if e.image is not None}
        ordered = [distinct[path] for path in sorted(distinct)]
        file = folder / f"features-{_digest(model.config, sorted(distinct))}.safetensors"
        if not file.is_file():
            _write_features(model, ordered, file, batch_size)
        self.counts = ImageCounts()
        self._index, self._cnn = _read_features(file)

    def load(self, examples: Sequence[Example], rng: np.random.Generator | None = None) -> LoadedImages:
        """Look the images up; ``rng`` is not used, since a frozen feature knows only the centre crop."""
        used: dict[int, int] = {}
        rows = []
        for example in examples:
            row = self._index.get(str(example.image), -1)
            rows.append(used.setdefault(row, len(used)) if row >= 0 else -1)
            self._count(example, row)
        return LoadedImages(rows, states=ImageStates(None, self._cnn[list(used)].float()) if used else None)

    def _count(self, example: Example, row: int) -> None:
        if row >= 0:
            self.counts.present += 1
        elif example.image_id is None and example.image is None:
            self.counts.without += 1
        else:
            self.counts.missing += 1


def _digest(config: ModelConfig, images: Sequence[Path]) -> str:
    """Name the store after what it depends on: the encoder, its preprocessing, and the files."""
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in images if path.is_file()]
    record = json.dumps([asdict(config.cnn) if config.cnn else None, files], sort_keys=True)
    return hashlib.sha256(record.encode()).hexdigest()[:16]


@torch.no_grad()
def _write_features(model: MMNER, examples: Sequence[Example], file: Path, batch_size: int) -> None:
    from safetensors.torch import save_file
    from tqdm import tqdm

    model.eval()
    photos = PhotoFiles(model.config)
    names: list[str] = []
    encoder = model.cnn_encoder
    assert encoder is not None  # noqa: S101 (the only frozen encoder the store serves)
    chunks = [torch.zeros(0, encoder.width, *encoder.grid, dtype=torch.bfloat16)]  # should no photo be readable
    for start in tqdm(range(0, len(examples), batch_size), desc="image features", unit="batch"):
        part = examples[start : start + batch_size]
        loaded = photos.load(part)
        names.extend(str(e.image) for e, row in zip(part, loaded.rows, strict=True) if row >= 0)
        if loaded.pixels is not None:
            chunks.append(encoder(loaded.pixels.cnn).bfloat16())
    if photos.counts.problems:
        log.warning("%s", photos.counts.summary())
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    save_file({"cnn": torch.cat(chunks).contiguous()}, partial, metadata={"names": json.dumps(names)})
    partial.replace(file)


def _read_features(file: Path) -> tuple[dict[str, int], torch.Tensor]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as store:
        names = json.loads(store.metadata()["names"])
        return {name: row for row, name in enumerate(names)}, store.get_tensor("cnn")

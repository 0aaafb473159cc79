"""Where a batch's images come from: decoded from files, or read from features computed once.

Shapes: U distinct images.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Protocol

import numpy as np
import torch

from mmner_core.config import ModelConfig
from mmner_core.encoders.image import ImageStates
from mmner_core.encoding import Pixels
from mmner_core.errors import InputError
from mmner_core.model import MMNER
from mmner_core.preprocess import to_pixels

log = logging.getLogger(__name__)


@dataclass(slots=True)
class ImageCounts:
    """How many images were used, were not there, or could not be read; the first few of the latter by name."""

    present: int = 0
    missing: int = 0
    broken: int = 0
    problems: list[str] = field(default_factory=list)


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

    def load(self, images: Sequence[Path | None], rng: np.random.Generator | None = None) -> LoadedImages:
        """Return the distinct images of the sentences; a missing or broken one counts as none and is recorded."""
        ...


class PhotoFiles:
    """Decodes photos when they are needed."""

    def __init__(self, config: ModelConfig) -> None:
        self.config = config
        self.counts = ImageCounts()

    def load(self, images: Sequence[Path | None], rng: np.random.Generator | None = None) -> LoadedImages:
        """Decode and preprocess each distinct photo once; ``rng`` asks for training's random crop."""
        from mmner_core.data.images import open_image

        index: dict[Path, int] = {}
        photos = []
        for path in dict.fromkeys(p for p in images if p is not None):
            if not path.is_file():
                self.counts.missing += images.count(path)
                self._report(f"{path}: no such file")
                continue
            try:
                photos.append(open_image(path))
            except InputError as error:
                self.counts.broken += images.count(path)
                self._report(str(error))
                continue
            index[path] = len(photos) - 1
        rows = [-1 if path is None else index.get(path, -1) for path in images]
        self.counts.present += sum(row >= 0 for row in rows)
        if not photos:
            return LoadedImages(rows)
        pixels, _ = to_pixels(photos, self.config.vit, self.config.cnn, rng)
        return LoadedImages(rows, pixels=pixels)

    def _report(self, problem: str) -> None:
        if len(self.counts.problems) < 5:
            self.counts.problems.append(problem)


class FrozenFeatures:
    """Encodes every image once with frozen encoders and keeps the result (bf16, on disk and in memory).

    Only for a model whose image encoders are all frozen: then what it sees of a photo never changes.
    """

    def __init__(self, model: MMNER, images: Sequence[Path], folder: Path, batch_size: int = 64) -> None:
        self.counts = ImageCounts()
        self._photos = PhotoFiles(model.config)
        distinct = sorted(set(images))
        file = folder / f"features-{_digest(model.config, distinct)}.safetensors"
        if not file.is_file():
            _write_features(model, distinct, self._photos, file, batch_size)
        self._index, self._cnn = _read_features(file)

    def load(self, images: Sequence[Path | None], rng: np.random.Generator | None = None) -> LoadedImages:
        """Look the images up; ``rng`` is not used, since a frozen feature knows only the centre crop."""
        known = {path: self._index[str(path)] for path in images if path is not None and str(path) in self._index}
        distinct = {path: row for row, path in enumerate(known)}
        rows = [-1 if path is None else distinct.get(path, -1) for path in images]
        lost = sum(row < 0 and path is not None for row, path in zip(rows, images, strict=True))
        self.counts.present += sum(row >= 0 for row in rows)
        self.counts.missing += lost
        if not known:
            return LoadedImages(rows)
        return LoadedImages(rows, states=ImageStates(None, self._cnn[list(known.values())]))


def _digest(config: ModelConfig, images: Sequence[Path]) -> str:
    """Name the store after what it depends on: the encoder, its preprocessing, and the files."""
    files = [(str(path), path.stat().st_size, path.stat().st_mtime_ns) for path in images if path.is_file()]
    record = json.dumps([asdict(config.cnn) if config.cnn else None, files], sort_keys=True)
    return hashlib.sha256(record.encode()).hexdigest()[:16]


@torch.no_grad()
def _write_features(model: MMNER, images: Sequence[Path], photos: PhotoFiles, file: Path, batch_size: int) -> None:
    from safetensors.torch import save_file
    from tqdm import tqdm

    model.eval()
    names: list[str] = []
    chunks: list[torch.Tensor] = []
    for start in tqdm(range(0, len(images), batch_size), desc="image features", unit="batch"):
        paths = images[start : start + batch_size]
        loaded = photos.load(paths)
        names.extend(str(path) for path, row in zip(paths, loaded.rows, strict=True) if row >= 0)
        if loaded.pixels is not None:
            cnn = model.encode_pixels(loaded.pixels).cnn
            assert cnn is not None  # noqa: S101 (the only frozen encoder the store serves)
            chunks.append(cnn.bfloat16())
    for problem in photos.counts.problems:
        log.warning("image left out: %s", problem)
    file.parent.mkdir(parents=True, exist_ok=True)
    partial = file.with_suffix(".partial")
    save_file({"cnn": torch.cat(chunks).contiguous()}, partial, metadata={"names": json.dumps(names)})
    partial.replace(file)


def _read_features(file: Path) -> tuple[dict[str, int], torch.Tensor]:
    from safetensors import safe_open

    with safe_open(file, framework="pt") as store:
        names = json.loads(store.metadata()["names"])
        return {name: row for row, name in enumerate(names)}, store.get_tensor("cnn")

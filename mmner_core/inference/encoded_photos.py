"""A cache of decoded and encoded images for sentences that share them.

Shapes: U distinct images.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from mmner_core.data import Example
from mmner_core.encoders.image import ImageStates
from mmner_core.inference.image_loader import LoadedImages, PhotoFiles
from mmner_core.network.model import MMNER
from mmner_core.runtime.cache import RecentlyUsed

CACHE_BYTES = 1 << 30
"""Some 8,000 photos of the shipped model."""


class EncodedPhotos(PhotoFiles):
    """Decodes and encodes a photo when it is first needed, and returns the encoders' output.

    Args:
        model: in eval mode; one that reads another part of a photo each time is not for this.
        max_bytes: how much of what was encoded to keep.
    """

    def __init__(self, model: MMNER, *, max_bytes: int = CACHE_BYTES) -> None:
        super().__init__(model.config)
        self._model = model
        self._kept: RecentlyUsed[ImageStates] = RecentlyUsed(max_bytes)

    def load(self, examples: Sequence[Example], rng: np.random.Generator | None = None) -> LoadedImages:
        """Look the images up, and read those that are new; ``rng`` is not used, since a photo is cropped only once."""
        known = {e.image: states for e in examples if (states := self._kept.get(e.image)) is not None}
        fresh = [e for e in examples if e.image not in known]
        self.counts.present += len(examples) - len(fresh)
        known.update(self._encode(fresh))
        used: dict[Path | None, int] = {}
        rows = [used.setdefault(e.image, len(used)) if e.image in known else -1 for e in examples]
        return LoadedImages(rows, states=ImageStates.join([known[image] for image in used]) if used else None)

    @torch.no_grad()
    def _encode(self, examples: Sequence[Example]) -> dict[Path | None, ImageStates]:
        """Decode and encode the distinct photos of the sentences; one that is missing or broken has no states."""
        loaded = super().load(examples)
        if loaded.pixels is None:
            return {}
        states = self._model.encode_pixels(loaded.pixels).each()
        encoded = {e.image: states[row] for e, row in zip(examples, loaded.rows, strict=True) if row >= 0}
        for image, own in encoded.items():
            self._kept.put(image, own, own.n_bytes)
        return encoded

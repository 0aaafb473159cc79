"""Encodes the images that sentences are shown, each distinct one once, with a bounded cache of the latest.

Shapes: U images, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from analysis.conditions.conditions import ShownImage, render
from mmner_core.encoders.image import ImageStates
from mmner_core.errors import InputError
from mmner_core.photos.open import Photo, open_image
from mmner_core.photos.preprocess import decode_size, to_pixels
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.text.encoding import Pixels

if TYPE_CHECKING:
    from PIL import Image

    from mmner_core.network.model import MMNER

IMAGES_PER_BATCH = 16
"""Always this many at once, the last batch filled up with black: how an image is rounded must not depend on what was
encoded beside it, or a resumed run would differ from an uninterrupted one."""
CACHE_BYTES = 128_000_000
"""A thousand photos of the small model: a shard's own, and half as many of others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageFeatures:
    """The outputs of encoders and projections for one image.

    Attributes:
        states: U = 1.
        vectors: per aligned stream [D], unit length.
    """

    states: ImageStates
    vectors: dict[str, Tensor]

    @property
    def n_bytes(self) -> int:
        """Return the memory it takes."""
        return self.states.n_bytes + sum(vector.nbytes for vector in self.vectors.values())


@dataclass(slots=True)
class ShownImageEncoder:
    """Encodes shown images with a model's image encoders.

    Attributes:
        model: in eval mode.
        unreadable: photos that could not be decoded, with the reason.
    """

    model: MMNER
    unreadable: dict[Path, str] = field(default_factory=dict)
    _kept: RecentlyUsed[ImageFeatures] = field(default_factory=partial(RecentlyUsed, CACHE_BYTES), repr=False)

    def encode(self, sources: Sequence[ShownImage | None]) -> dict[ShownImage, ImageFeatures]:
        """Return the features of each distinct image, see :func:`without_owner`; unreadable ones have none."""
        wanted = dict.fromkeys(without_owner(s) for s in sources if s is not None and s.kind != "none")
        found = {source: kept for source in wanted if (kept := self._kept.get(source)) is not None}
        missing = iter([source for source in wanted if source not in found])
        for source, features in self._encode(missing):
            found[source] = features
            if source.corruption is None and source.kind != "noise":  # those are shown under one condition only
                self._kept.put(source, features, features.n_bytes)
        return found

    def _encode(self, sources: Iterator[ShownImage]) -> Iterator[tuple[ShownImage, ImageFeatures]]:
        rendered = ((source, image) for source in sources if (image := self._render(source)) is not None)
        while part := list(islice(rendered, IMAGES_PER_BATCH)):
            yield from zip((source for source, _ in part), self._features([image for _, image in part]), strict=True)

    def _render(self, source: ShownImage) -> Image.Image | None:
        if source.path in self.unreadable:
            return None
        config = self.model.config
        target = decode_size(config.vit, config.cnn)
        try:
            return render(source, lambda path: open_image(path, target=target))
        except InputError as error:
            assert source.path is not None  # noqa: S101 (nothing else is read)
            self.unreadable[source.path] = str(error)
            return None

    @torch.no_grad()
    def _features(self, images: list[Image.Image]) -> list[ImageFeatures]:
        config = self.model.config
        pixels, _ = to_pixels([Photo(image, image.size) for image in images], config.vit, config.cnn)
        states = self.model.encode_pixels(Pixels(vit=_fill(pixels.vit), cnn=_fill(pixels.cnn)))
        vectors = self.model.project_image(states)
        return [
            ImageFeatures(states=own, vectors={stream: vector[i].clone() for stream, vector in vectors.items()})
            for i, own in enumerate(states.each()[: len(images)])
        ]


def without_owner(source: ShownImage) -> ShownImage:
    """Return the source without its owner, since the image is the same whoever owns it."""
    return replace(source, owner=None)


def _fill(pixels: Tensor | None) -> Tensor | None:
    if pixels is None:
        return None
    return torch.cat([pixels, pixels.new_zeros(IMAGES_PER_BATCH - len(pixels), *pixels.shape[1:])])

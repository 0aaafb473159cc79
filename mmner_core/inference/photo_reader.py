"""Decodes and encodes images for one model, with a cache of the latest.

Shapes: U photos.
"""

from __future__ import annotations

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from mmner_core.encoders.image import ImageStates
from mmner_core.photos.limits import ImageLimits
from mmner_core.photos.open import Photo, open_photo
from mmner_core.photos.preprocess import decode_size, to_pixels
from mmner_core.results import Crop
from mmner_core.runtime.cache import RecentlyUsed
from mmner_core.text.encoding import Pixels

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmner_core.network.model import MMNER

CACHE_BYTES = 32 << 20  # some 250 photos of the shipped model
BATCH_PHOTOS = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class EncodedImage:
    """A decoded image and, once it has passed the encoders, its states.

    Attributes:
        size: upright (width, height) in pixels.
        notes: what the user should know of it.
        crop: the part that the model reads; None where it reads text only, like the next two.
        pixels: that part, [1, 3, size, size] per encoder, until it is encoded.
        states: what the encoders made of it, [1, ...] each.
        key: its key in the cache, None where it cannot be identified cheaply.
    """

    size: tuple[int, int]
    notes: tuple[str, ...]
    crop: Crop | None = None
    pixels: Pixels | None = None
    states: ImageStates | None = None
    key: Hashable | None = None


class PhotoReader:
    """Opens and encodes photos for one model.

    Args:
        model: on its device, in its number format.
        limits: which images to refuse.
        max_bytes: how much of what was encoded to keep.
    """

    def __init__(self, model: MMNER, limits: ImageLimits, *, max_bytes: int = CACHE_BYTES) -> None:
        self._model = model
        self._limits = limits
        self._sees = bool(model.config.fusion.streams) and model.sees
        self.kept: RecentlyUsed[EncodedImage] = RecentlyUsed(max_bytes)

    def open(self, source: Path | str | bytes | Image) -> EncodedImage:
        """Decode, resize and cut a photo, unless it is in the cache; several threads may do so.

        Raises:
            InputError: if it cannot be read.
        """
        key, known = self.look_up(source)
        return self.decode(source, key) if known is None else known

    def look_up(self, source: Path | str | bytes | Image) -> tuple[Hashable | None, EncodedImage | None]:
        """Return a photo's key in the cache, and the photo itself if it is there."""
        key = _key(source) if self._model.config.deterministic_crop else None
        return key, None if key is None else self.kept.get(key)

    def decode(self, source: Path | str | bytes | Image, key: Hashable | None = None) -> EncodedImage:
        """Decode, resize and cut a photo without looking it up; several threads may do so.

        Args:
            source: the photo.
            key: what to keep it under once it is encoded; None: it is not kept.

        Raises:
            InputError: if it cannot be read.
        """
        config = self._model.config
        target = decode_size(config.vit, config.cnn) if self._sees else None
        photo: Photo = open_photo(source, target=target, limits=self._limits)
        if not self._sees:
            return EncodedImage(size=photo.size, notes=photo.notes)
        pixels, crops = to_pixels([photo], config.vit, config.cnn)
        return EncodedImage(size=photo.size, notes=photo.notes, crop=crops[0], pixels=pixels, key=key)

    @torch.inference_mode()
    def read(self, source: Path | str | bytes | Image, key: Hashable | None) -> EncodedImage:
        """Open and encode a photo that :meth:`look_up` did not find.

        Raises:
            InputError: if it cannot be read.
        """
        photo = self.decode(source, key)
        states, _ = self.encode([photo])
        return replace(photo, states=states)

    def encode(self, photos: Sequence[EncodedImage]) -> tuple[ImageStates | None, list[int]]:
        """Encode photos, each distinct one once, unless its states are known already.

        Returns:
            the states of the distinct photos, [U, ...] each, None where there are none; and each photo's row.
        """
        rows: dict[Hashable, int] = {}
        index = [rows.setdefault(id(photo) if photo.key is None else photo.key, len(rows)) for photo in photos]
        distinct: list[EncodedImage] = [photos[index.index(row)] for row in range(len(rows))]
        states = [photo.states for photo in distinct]
        fresh = [row for row, state in enumerate(states) if state is None]
        for start in range(0, len(fresh), BATCH_PHOTOS):
            chunk = fresh[start : start + BATCH_PHOTOS]
            for row, state in zip(chunk, self._encode([distinct[r] for r in chunk]), strict=True):
                states[row] = state
                self._keep(distinct[row], state)
        encoded = [state for state in states if state is not None]
        return ImageStates.join(encoded) if encoded else None, index

    def _encode(self, photos: Sequence[EncodedImage]) -> list[ImageStates]:
        pixels = [photo.pixels for photo in photos if photo.pixels is not None]
        batch = Pixels(vit=_cat([p.vit for p in pixels]), cnn=_cat([p.cnn for p in pixels]))
        return self._model.encode_pixels(batch).each()

    def _keep(self, photo: EncodedImage, states: ImageStates) -> None:
        if photo.key is not None:
            self.kept.put(photo.key, replace(photo, pixels=None, states=states), states.n_bytes)


def _key(source: Path | str | bytes | Image) -> Hashable | None:
    """Return what identifies a photo: the digest of its bytes, or a file's name, size and date."""
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    if isinstance(source, Path | str):
        try:
            status = Path(source).stat()
        except (OSError, ValueError):  # the reader will say what is wrong with it
            return None
        return str(source), status.st_size, status.st_mtime_ns, status.st_ino
    return None


def _cat(parts: Sequence[Tensor | None]) -> Tensor | None:
    tensors = [part for part in parts if part is not None]
    return torch.cat(tensors) if tensors else None

"""Loads the images of a run for a model of your own: upright, in RGB, small enough to send to its process."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.conditions.conditions import ShownImage, render
from analysis.evaluation.image_features import without_owner
from mmner_core.errors import InputError
from mmner_core.photos.open import open_image
from mmner_core.runtime.cache import RecentlyUsed

if TYPE_CHECKING:
    from PIL.Image import Image

_CACHE_BYTES = 128_000_000
"""Some hundred photos: those of the sentences in hand, which every condition shows anew."""


@dataclass(slots=True)
class ConditionImages:
    """Opens photos and renders what a condition shows.

    Attributes:
        side: short side in pixels below which no photo is shrunk.
        unreadable: photos that could not be decoded, with the reason.
    """

    side: int
    unreadable: dict[Path, str] = field(default_factory=dict)
    _kept: RecentlyUsed[Image] = field(default_factory=partial(RecentlyUsed, _CACHE_BYTES), repr=False)

    def open(self, path: Path | None) -> Image | None:
        """Read a photo; None where there is none that can be decoded."""
        if path is None or path in self.unreadable:
            return None
        image = self._kept.get(path)
        if image is None:
            try:
                image = open_image(path, target=self.side)
            except InputError as error:
                self.unreadable[path] = str(error)
                return None
            self._kept.put(path, image, 3 * image.width * image.height)
        return image

    def make(self, sources: Sequence[ShownImage | None]) -> dict[ShownImage, Image]:
        """Return each distinct image by its source, see :func:`without_owner`; unreadable photos have none."""
        made = {}
        for source in dict.fromkeys(without_owner(s) for s in sources if s is not None and s.kind != "none"):
            photo = self.open(source.path)
            if source.path is not None and photo is None:
                continue
            image = render(source, lambda _, photo=photo: photo)  # type: ignore[misc]
            if image is not None:
                made[source] = image
        return made

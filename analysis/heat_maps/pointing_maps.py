"""Computes every kind of heat map of an entity, each with the part of the image that its cells cover.

================= ================================================================================================
``attention``      mean over the streams whose cells lie alike
``attention/S``    of stream S alone, where there are several with cells
``gradient``       attention weighted by its gradient, mean of the streams
``cells``          the model's reader of cells alone: how probable the name's type is in each; no text, no attention
``occlusion``      by how much the name's probability falls when a cell is covered; slow, so only where it is asked for
``random``         ``attention`` of a model of the same build with random weights
================= ================================================================================================
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.heat_maps.attribution import each_hidden, occlusion_falls
from analysis.heat_maps.explainer import EncodedScene, ModelExplainer, Sight, Text
from analysis.heat_maps.places import Heat
from mmner_core.errors import InputError
from mmner_core.runtime.cache import RecentlyUsed

if TYPE_CHECKING:
    from PIL import Image

    from mmner_core.encoders.image import ImageStates
    from mmner_core.labels import Entity
    from mmner_core.text.encoding import Pixels

ATTENTION, GRADIENT, CELLS, OCCLUSION, RANDOM = "attention", "gradient", "cells", "occlusion", "random"
Ask = Callable[[Sequence[str], "Entity"], Mapping[str, Heat]]
"""(words of a sentence, a name in it) -> method to map, of an image that was looked at before."""
HeatMaps = Callable[["Image.Image"], Ask]
"""Looks at an image once and answers about as many names as wanted."""
_TEXT_BYTES = 1 << 28  # a few thousand sentences


class HeatMapper:
    """Makes the maps of one model.

    Args:
        explainer: the model.
        convention: annotation convention to read by.
        occlusion: whether to make these too, which takes one pass of the image encoder per cell.

    Raises:
        InputError: if no stream of the model has cells to point at.
    """

    def __init__(self, explainer: ModelExplainer, convention: str | None = None, *, occlusion: bool = False) -> None:
        if not explainer.grids:
            raise InputError(
                "This model has no heat map: it reads no photos, or each of its streams has the whole photo as its "
                'only key; train one with cells as keys (cnn_keys = "grid").'
            )
        self.explainer = explainer
        self.convention = convention
        self.occlusion = occlusion
        self._texts: RecentlyUsed[Text] = RecentlyUsed(_TEXT_BYTES)

    def scene(self, words: Sequence[str], sight: Sight) -> EncodedScene:
        """Combine a sentence and a photo; a recently encoded sentence is not encoded again."""
        key = tuple(words)
        text = self._texts.get(key)
        if text is None:
            text = self.explainer.read(words, convention=self.convention)
            self._texts.put(key, text, sum(states.numel() * states.element_size() for states in text))
        return EncodedScene.of(text, sight)

    def occluded(self, sight: Sight, filler: Pixels | None = None) -> list[ImageStates]:
        """Encode a photo with each cell covered in turn, once for all its names; empty without occlusion.

        ``filler``: the photo whose cells cover those of this one; None: even grey.
        """
        grid = next(iter(self.explainer.grids.values()))
        return list(self.explainer.cover(sight.pixels, each_hidden(grid), filler)) if self.occlusion else []

    def maps(self, scene: EncodedScene, entity: Entity, occluded: Sequence[ImageStates] = ()) -> dict[str, Heat]:
        """Return the maps of one name in one photo, except ``random``.

        Args:
            scene: from :meth:`scene`.
            entity: the name.
            occluded: what :meth:`occluded` made of the photo.
        """
        attention = self.attention(scene, entity)
        found = {ATTENTION: mean_map(attention)}
        if len(attention) > 1:
            found |= {f"{ATTENTION}/{stream}": heat for stream, heat in attention.items()}
        found[GRADIENT] = mean_map(self._heats(self.explainer.weighted_attention(scene, entity), scene))
        types = self.explainer.cell_types(scene)
        if types is not None:
            of_type = types[..., self.explainer.model.labels.types.index(entity.type)]
            found[CELLS] = Heat(of_type, self.explainer.seen_by("cnn", scene))
        if occluded:
            stream, grid = next(iter(self.explainer.grids.items()))
            falls = occlusion_falls(self.explainer.answer(scene.words, occluded, entity), grid)
            found[OCCLUSION] = Heat(falls, self.explainer.seen_by(stream, scene))
        return found

    def attention(self, scene: EncodedScene, entity: Entity) -> dict[str, Heat]:
        """Return the attention of each stream that has cells."""
        return self._heats(self.explainer.attention(scene, entity), scene)

    def _heats(self, by_stream: Mapping[str, np.ndarray], scene: EncodedScene) -> dict[str, Heat]:
        return {stream: Heat(cells, self.explainer.seen_by(stream, scene)) for stream, cells in by_stream.items()}


def heat_maps(mapper: HeatMapper, twin: HeatMapper | None = None) -> HeatMaps:
    """Return a function that makes all maps of an image; ``twin``, of a model with random weights, adds ``random``."""

    def look(image: Image.Image) -> Ask:
        sight = mapper.explainer.look(image)
        occluded = mapper.occluded(sight)
        blind = None if twin is None else twin.explainer.look(image)

        def ask(words: Sequence[str], entity: Entity) -> dict[str, Heat]:
            found = mapper.maps(mapper.scene(words, sight), entity, occluded)
            if twin is not None and blind is not None:
                found[RANDOM] = mean_map(twin.attention(twin.scene(words, blind), entity))
            return found

        return ask

    return look


def mean_map(by_stream: Mapping[str, Heat]) -> Heat:
    """Return the mean of the maps that have the cells of the first, on the same part of the photo."""
    first = next(iter(by_stream.values()))
    alike = [h.cells for h in by_stream.values() if h.cells.shape == first.cells.shape and h.seen == first.seen]
    return Heat(np.mean(alike, axis=0), first.seen)

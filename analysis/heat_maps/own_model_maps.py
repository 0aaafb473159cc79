"""Heat maps of a model of your own: the maps that it gives, and occlusion, which needs only its answers.

=========== ==========================================================================================================
``model``     the model's own map of the name; even where it finds no such name, so that it counts as chance
``occlusion`` by how much the name's probability falls when a cell of the photo is covered
=========== ==========================================================================================================

Shapes: G = rows x columns cells of the photo.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from analysis.heat_maps.attribution import each_hidden, occlusion_falls
from analysis.heat_maps.places import Heat
from analysis.heat_maps.pointing_maps import OCCLUSION, Ask, HeatMaps
from analysis.own_model.interface import Item
from analysis.own_model.probability import entity_probability
from mmner_core.labels import Entity
from mmner_core.photos.colour import GREY
from mmner_core.photos.mosaics import Box

if TYPE_CHECKING:
    from PIL.Image import Image

    from analysis.own_model.checked import CheckedAnswer

MODEL = "model"
GRID = (6, 6)
"""Cells that are covered: few enough to ask about each, and halves and thirds of an image are whole cells."""
_AT_ONCE = 64
"""Covered images in memory at once."""
WHOLE = Box(0.0, 0.0, 1.0, 1.0)
Answers = Callable[[Sequence[Item]], "list[CheckedAnswer]"]


class OwnExplainer:
    """Asks a model of your own about one name beside an image whose cells are covered.

    Args:
        answers: asks the model.
        own_maps: whether it gives maps of its own.

    Attributes:
        unfound: how often a map was wanted of a name that the model did not find.
    """

    def __init__(self, answers: Answers, *, own_maps: bool) -> None:
        self.answers = answers
        self.own_maps = own_maps
        self.unfound = 0

    def probabilities(self, items: Sequence[Item], entities: Sequence[Entity]) -> np.ndarray:
        """Return the probability of each entity in the answer to each item, [items, entities]."""
        return np.array([[entity_probability(answer, e) for e in entities] for answer in self.answers(items)])

    def covered(
        self, item: Item, image: Image, entity: Entity, visible: np.ndarray, other: Image | None = None
    ) -> np.ndarray:
        """Return the probability of an entity beside an image with cells hidden, [n].

        Args:
            item: the sentence.
            image: the photo.
            entity: the name.
            visible: [n, rows, columns] bool, true where a cell is visible.
            other: the photo whose cells are put in the place of hidden ones; None: even grey.
        """
        items = (replace(item, image=shown) for shown in cover(image, visible, other))
        found: list[float] = []
        while part := list(islice(items, _AT_ONCE)):
            found += self.probabilities(part, [entity])[:, 0].tolist()
        return np.array(found)

    def occlusion(self, item: Item, image: Image, entity: Entity, other: Image | None = None) -> np.ndarray:
        """Return by how much the probability falls when each cell alone is covered, [rows, columns]."""
        return occlusion_falls(self.covered(item, image, entity, each_hidden(GRID), other), GRID)

    def own_map(self, item: Item, image: Image, entity: Entity) -> np.ndarray:
        """Return the model's map of a name, [rows, columns]; even where it finds none."""
        [answer] = self.answers([replace(item, image=image)])
        found = answer.map_of(entity.start, entity.end)
        self.unfound += found is None
        return np.zeros(GRID) if found is None else found


def own_heat_maps(
    explainer: OwnExplainer, *, occlusion: bool, languages: Mapping[tuple[str, ...], str] | None = None
) -> HeatMaps:
    """Return a function that makes the maps of an image.

    Args:
        explainer: of the model, whose own maps are made where it gives them.
        occlusion: whether to make these as well.
        languages: those of sentences, by their words, where they are known.
    """

    def look(image: Image) -> Ask:
        def ask(words: Sequence[str], entity: Entity) -> Mapping[str, Heat]:
            item = Item(tuple(words), language=(languages or {}).get(tuple(words), ""))
            maps = {MODEL: explainer.own_map(item, image, entity)} if explainer.own_maps else {}
            if occlusion:
                maps[OCCLUSION] = explainer.occlusion(item, image, entity)
            return {method: Heat(cells, WHOLE) for method, cells in maps.items()}

        return ask

    return look


def cover(image: Image, visible: np.ndarray, other: Image | None = None) -> Iterator[Image]:
    """Yield an RGB image with the hidden cells of each variant replaced, one variant after the other.

    Args:
        image: the photo.
        visible: [n, rows, columns] bool, true where a cell is visible.
        other: the photo whose cells are put in the place of hidden ones, stretched to the size of the first; None:
            even grey.
    """
    from PIL import Image as Images

    pixels = np.asarray(image.convert("RGB"))
    hidden = np.asarray(GREY, dtype=np.uint8) if other is None else np.asarray(other.convert("RGB").resize(image.size))
    y, x = (np.arange(side) * cells // side for side, cells in zip(pixels.shape[:2], visible.shape[1:], strict=True))
    return map(lambda shown: Images.fromarray(np.where(shown[y][:, x, None], pixels, hidden)), visible)


def on_grid(cells: np.ndarray, grid: tuple[int, int] = GRID) -> np.ndarray:
    """Resample a map to another grid: each new cell is the mean of the old cells that it covers."""
    rows, columns = (_shares(new, old) for new, old in zip(grid, cells.shape, strict=True))
    return rows @ cells @ columns.T


def _shares(new: int, old: int) -> np.ndarray:
    """Return [new, old] the share of each of ``new`` equal parts that lies in each of ``old``."""
    edges, others = np.linspace(0, 1, new + 1), np.linspace(0, 1, old + 1)
    overlap = np.minimum(edges[1:, None], others[None, 1:]) - np.maximum(edges[:-1, None], others[None, :-1])
    return np.maximum(overlap, 0) * new

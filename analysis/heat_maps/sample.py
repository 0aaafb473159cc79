"""Samples the entities that heat maps are tested on: one per sentence, languages in turn, whose photo matters."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar

import numpy as np

from analysis.conditions.mismatched_images import other_type_images
from mmner_core.labels import Entity, tags_to_entities

if TYPE_CHECKING:
    from PIL.Image import Image

    from mmner_core.data import Example

Cover = TypeVar("Cover")

MATTERS = 0.2
"""By how much a photo must raise the probability of a type for a name for its maps to be tested."""
LOOKED_AT = 25
"""How many names are looked at for each one that is wanted, before the study makes do with those it has."""


class Case(NamedTuple, Generic[Cover]):
    """A name whose photo matters.

    Attributes:
        sentence: its index.
        entity: the name, as the type that the photo takes it for.
        photo: the sentence's own.
        cover: what hidden cells are replaced by, of a photo that shows another type.
    """

    sentence: int
    entity: Entity
    photo: Image
    cover: Cover


@dataclass(slots=True)
class CaseSample(Generic[Cover]):
    """A sample, drawn case by case.

    Attributes:
        examples: the sentences.
        open: reads a photo; None for one that cannot be decoded.
        case: makes a case of a sentence's index, one of its gold names, its photo and one that shows another type; None
            where the photo does not matter.
        wanted: how many cases to yield, at most.
        seed: of the order, the names and the other photos.
        looked_at: how many names with a photo were looked at.
        tested: how many of them were yielded.
    """

    examples: Sequence[Example]
    open: Callable[[Path | None], Image | None]
    case: Callable[[int, Entity, Image, Image], Case[Cover] | None]
    wanted: int
    seed: int
    looked_at: int = 0
    tested: int = 0

    def cases(self) -> Iterator[Case[Cover]]:
        """Yield names whose photo matters, one per sentence, languages in turn."""
        rng = np.random.default_rng(self.seed)
        active = [i for i, e in enumerate(self.examples) if e.image is not None and e.image.is_file()]
        owners = other_type_images(self.examples, active, rng)
        waiting: dict[str, list[int]] = {}
        for i in rng.permutation(active):
            waiting.setdefault(self.examples[i].language or "", []).append(int(i))
        while any(waiting.values()):
            for language in sorted(waiting):
                while waiting[language]:
                    if self.tested == self.wanted or self.looked_at >= LOOKED_AT * self.wanted:
                        return
                    i = waiting[language].pop()
                    case = self._case(i, owners[i], rng)
                    if case is not None:
                        self.tested += 1
                        yield case
                        break

    def _case(self, i: int, owner: int | None, rng: np.random.Generator) -> Case[Cover] | None:
        entities = tags_to_entities(self.examples[i].tags or ())
        if not entities or owner is None:
            return None
        photo, other = (self.open(self.examples[place].image) for place in (i, owner))
        if photo is None or other is None:
            return None
        self.looked_at += 1
        return self.case(i, entities[int(rng.integers(len(entities)))], photo, other)

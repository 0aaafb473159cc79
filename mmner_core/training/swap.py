"""Put other names in the place of a sentence's own, so that its words no longer give the type away.

A text encoder knows by heart the names that it was trained on, and leaves a photo nothing to explain. A name taken from
elsewhere, often of another type, keeps the context and the photo as the only witnesses.
"""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

from mmner_core.data import Example
from mmner_core.labels import Entity, entities_to_tags, tags_to_entities
from mmner_core.training.augment import Sentence

OTHER_TYPE = 0.5
"""Share of swaps that draw the new name from all types alike rather than from the name's own."""


class NamePool:
    """The names of a training set, by language and type, each as often as it occurs."""

    def __init__(self, examples: Iterable[Example]) -> None:
        self._names: dict[str | None, dict[str, list[tuple[str, ...]]]] = defaultdict(lambda: defaultdict(list))
        for example in examples:
            for entity in tags_to_entities(example.tags or ()):
                self._names[example.language][entity.type].append(example.words[entity.start : entity.end])

    def swap(self, sentence: Sentence, language: str | None, rng: random.Random) -> Sentence:
        """Replace every name by one of the same language; each keeps its type, and the other words stay.

        The number of words may change; the result depends on ``rng`` alone. A language without names changes nothing.
        """
        words, tags = sentence
        by_type = self._names[language]
        swapped: list[str] = []
        entities: list[Entity] = []
        copied = 0
        for entity in tags_to_entities(tags) if by_type else ():
            swapped += words[copied : entity.start]
            drawn_from = rng.choice(sorted(by_type)) if rng.random() < OTHER_TYPE else entity.type
            name = rng.choice(by_type.get(drawn_from) or [words[entity.start : entity.end]])
            entities.append(Entity(len(swapped), len(swapped) + len(name), entity.type))
            swapped += name
            copied = entity.end
        if not entities:
            return sentence
        swapped += words[copied:]
        return tuple(swapped), tuple(entities_to_tags(entities, len(swapped)))

"""Plans the mosaics of a measurement: balanced groups of sentences, in every arrangement and its mirror image.

A photo's type is that of the only name in its sentences, so nothing but tagged sentences with photos is needed. Every
part of a mosaic holds a photo of another type: it is measured whether a map grounds types, not identities.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, cycle
from pathlib import Path

import numpy as np

from mmner_core.data import Example
from mmner_core.labels import Entity, tags_to_entities
from mmner_core.photos.mosaics import LAYOUTS, MosaicLayout

SAME_PHOTO, ONE_TYPE = "same photo twice", "two photos of one type"
"""The controls: which half is right is undefined in the first, and not to be told by type in the second."""
NO_PHOTO, NO_NAME = "sentences without a photo", "sentences without a name"
IRRELEVANT = "sentences whose photo is called irrelevant"
SEVERAL = "photos whose sentences hold several names"
DISAGREE = "photos whose sentences disagree on the type"
LIMITED = "sentences beyond the limit"
ALONE = "sentences whose type has no second photo, for the control with two of one type"


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """A sentence with one name, and the photo that shows it.

    Attributes:
        sentence: its index among the examples.
        words: its words.
        entity: the name.
        language: the sentence's, "" where not known.
        photo: the file.
    """

    sentence: int
    words: tuple[str, ...]
    entity: Entity
    language: str
    photo: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Subjects whose photos share a mosaic, one per part of a layout.

    Attributes:
        name: of the layout or control, for tables.
        layout: of the first arrangement.
        subjects: as many as the layout has parts.
    """

    name: str
    layout: MosaicLayout
    subjects: tuple[Subject, ...]

    def arrangements(self) -> Iterator[MosaicLayout]:
        """Yield layouts whose part i is the place of subject i.

        The places rotate until each photo was in every part and in its mirror image; what the mirror image has shown
        already is not shown again. Of the same photo twice one image is all there is.
        """
        parts, visited = self.layout.parts, set()
        for turn in range(len(parts)):
            places = parts[turn:] + parts[:turn]
            if places[0] in visited:
                continue
            mirrored = tuple(place.mirrored() for place in places)
            visited |= {places[0], mirrored[0]}
            yield MosaicLayout(places, self.layout.whole, self.layout.gutter)
            if self.name == SAME_PHOTO:
                return
            yield MosaicLayout(mirrored, self.layout.whole, self.layout.gutter)


@dataclass(frozen=True, slots=True)
class MosaicPlan:
    """The groups to show, and what was left out: how many, by reason."""

    groups: tuple[Group, ...]
    left_out: Counter[str]


def plan_mosaics(
    examples: Sequence[Example], *, irrelevant: Sequence[bool] = (), limit: int | None = None, seed: int = 0
) -> MosaicPlan:
    """Choose sentences with a photo and one name, and group them for every layout and both controls.

    Types are balanced: each is shown equally often, up to one showing, the sentences of rarer types more than once; so
    each sentence is shown at least once in every layout. A layout with more parts than there are types is left out.

    Args:
        examples: sentences with gold tags.
        irrelevant: [N] whether the data say that a sentence's photo does not show what it names; empty: not known.
        limit: at most so many sentences, as many of each type; None: all.
        seed: of the draw and of who meets whom.
    """
    subjects, left_out = find_subjects(examples, irrelevant)
    rng = np.random.default_rng(seed)
    by_type: dict[str, list[Subject]] = defaultdict(list)
    for i in rng.permutation(len(subjects)):
        by_type[subjects[i].entity.type].append(subjects[i])
    if limit is not None:
        most = max(1, limit // max(1, len(by_type)))
        left_out[LIMITED] = sum(max(0, len(of_type) - most) for of_type in by_type.values())
        by_type = defaultdict(list, {name: of_type[:most] for name, of_type in by_type.items()})
    groups: list[Group] = []
    for name, layout in LAYOUTS.items():
        if len(layout.parts) <= len(by_type):
            groups += _mixed(name, layout, by_type, rng)
        else:
            left_out[f"sentences in the layout {name!r}, which has more parts than there are types"] = len(subjects)
    groups += [
        Group(name=SAME_PHOTO, layout=LAYOUTS["two"], subjects=(subject, subject))
        for of_type in by_type.values()
        for subject in of_type
    ]
    for of_type in by_type.values():
        pairs, single = _alike(of_type)
        groups += pairs
        left_out[ALONE] += single
    return MosaicPlan(tuple(groups), +left_out)


def find_subjects(examples: Sequence[Example], irrelevant: Sequence[bool] = ()) -> tuple[list[Subject], Counter[str]]:
    """Return the sentences whose only name their photo shows, and how many sentences and photos were left out."""
    left_out = Counter[str]()
    by_photo: dict[Path, list[Subject]] = defaultdict(list)
    several: set[Path] = set()
    for i, example in enumerate(examples):
        entities = tags_to_entities(example.tags or ())
        if example.image is None or not example.image.is_file():
            left_out[NO_PHOTO] += 1
        elif irrelevant and irrelevant[i]:
            left_out[IRRELEVANT] += 1
        elif not entities:
            left_out[NO_NAME] += 1
        else:
            if len(entities) > 1:
                several.add(example.image)
            language = example.language or ""
            subject = Subject(
                sentence=i, words=example.words, entity=entities[0], language=language, photo=example.image
            )
            by_photo[example.image].append(subject)
    found = []
    for photo, subjects in by_photo.items():
        if photo in several:
            left_out[SEVERAL] += 1
        elif len({subject.entity.type for subject in subjects}) > 1:
            left_out[DISAGREE] += 1
        else:
            found += subjects
    return found, left_out


def _mixed(
    name: str, layout: MosaicLayout, by_type: dict[str, list[Subject]], rng: np.random.Generator
) -> Iterator[Group]:
    """Group sentences of different types until every sentence of the most frequent type was shown."""
    rounds = max(map(len, by_type.values()))
    queues = {kind: cycle([of_type[i] for i in rng.permutation(len(of_type))]) for kind, of_type in by_type.items()}
    shown, met = Counter(dict.fromkeys(sorted(by_type), 0)), Counter[tuple[str, ...]]()
    choices = list(combinations(sorted(by_type), len(layout.parts)))
    while min(shown.values()) < rounds:
        chosen = min(choices, key=lambda types: (sum(shown[kind] for kind in types), met[types]))
        met[chosen] += 1
        shown.update(chosen)
        yield Group(name=name, layout=layout, subjects=tuple(next(queues[kind]) for kind in chosen))


def _alike(of_type: Sequence[Subject]) -> tuple[list[Group], int]:
    """Pair sentences of one type with different photos; also return how many found no partner."""
    groups: list[Group] = []
    waiting = list(of_type)
    while waiting:
        first = waiting.pop(0)
        partner = next((other for other in (*waiting, *of_type) if other.photo != first.photo), None)
        if partner is None:
            return groups, len(waiting) + 1
        if partner in waiting:
            waiting.remove(partner)
        groups.append(Group(name=ONE_TYPE, layout=LAYOUTS["two"], subjects=(first, partner)))
    return groups, 0

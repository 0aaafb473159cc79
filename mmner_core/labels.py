"""IOB2, in one place: tags to entities and back, which tag may follow which, and repair of orphan ``I-`` tags.

Nothing else in the workbench looks inside a tag string.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from mmner_core.errors import InputError

OUTSIDE = "O"
DEFAULT_TYPES = ("PER", "LOC", "ORG", "MISC")


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """A named span: words ``start`` up to, not including, ``end``, and its type."""

    start: int
    end: int
    type: str


@dataclass(frozen=True, slots=True)
class LabelSet:
    """The tag inventory of one checkpoint: ``O``, then ``B-T`` and ``I-T`` for each type T in order.

    Raises:
        InputError: if there is no type, a type is repeated, empty, or holds white space.
    """

    types: tuple[str, ...] = DEFAULT_TYPES
    tags: tuple[str, ...] = field(init=False)
    index: dict[str, int] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not self.types or len(set(self.types)) != len(self.types):
            raise InputError(f"Entity types must be distinct and at least one, got {list(self.types)}.")
        if bad := [t for t in self.types if not t or t.split() != [t]]:
            raise InputError(f"Entity types must be non-empty and without spaces, got {bad}.")
        tags = (OUTSIDE, *(f"{prefix}-{t}" for t in self.types for prefix in "BI"))
        object.__setattr__(self, "tags", tags)
        object.__setattr__(self, "index", {tag: i for i, tag in enumerate(tags)})

    def __len__(self) -> int:
        return len(self.tags)

    @classmethod
    def from_tags(cls, tags: Iterable[str]) -> LabelSet:
        """Infer the types from tags, in order of first appearance."""
        return cls(tuple(dict.fromkeys(split_tag(tag)[1] for tag in tags if tag != OUTSIDE)))

    def begin(self, entity_type: str) -> int:
        """Return the index of ``B-entity_type``."""
        return self.index[f"B-{entity_type}"]

    def inside(self, entity_type: str) -> int:
        """Return the index of ``I-entity_type``."""
        return self.index[f"I-{entity_type}"]

    def encode(self, tags: Sequence[str], where: str = "the tags") -> list[int]:
        """Turn tags into indices.

        Raises:
            InputError: if a tag is not in this label set.
        """
        if unknown := sorted(set(tags) - self.index.keys()):
            raise InputError(f"{where}: unknown tag {unknown[0]!r}; this label set has {', '.join(self.tags)}.")
        return [self.index[tag] for tag in tags]

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Turn indices into tags."""
        return [self.tags[i] for i in indices]

    def may_start(self) -> list[bool]:
        """Say for each tag whether a legal IOB2 sentence may begin with it."""
        return [may_follow(OUTSIDE, tag) for tag in self.tags]

    def may_follow(self) -> list[list[bool]]:
        """Say for each pair [from][to] whether ``to`` may follow ``from`` in legal IOB2."""
        return [[may_follow(before, after) for after in self.tags] for before in self.tags]


def split_tag(tag: str) -> tuple[str, str]:
    """Split ``B-PER`` into ``("B", "PER")``; ``O`` becomes ``("O", "")``.

    Raises:
        InputError: if the tag is neither ``O`` nor ``B-TYPE`` nor ``I-TYPE``.
    """
    prefix, _, entity_type = tag.partition("-")
    if tag != OUTSIDE and (prefix not in ("B", "I") or not entity_type):
        raise InputError(f"{tag!r} is not an IOB2 tag; expected O, B-TYPE or I-TYPE.")
    return prefix, entity_type


def is_tag(text: str) -> bool:
    """Say whether a text is ``O``, ``B-TYPE`` or ``I-TYPE``, without white space."""
    return text == OUTSIDE or (text[:2] in ("B-", "I-") and len(text) > 2 and text.split() == [text])


@lru_cache(maxsize=4096)  # readers ask this for every word, of the same few pairs
def may_follow(before: str, after: str) -> bool:
    """Say whether ``after`` may follow ``before``: ``I-T`` continues only ``B-T`` or ``I-T``."""
    prefix, entity_type = split_tag(after)
    return prefix != "I" or split_tag(before)[1] == entity_type


def repair(tags: Sequence[str]) -> tuple[list[str], int]:
    """Turn each orphan ``I-T`` into ``B-T``; return the legal tags and how many were changed."""
    repaired: list[str] = []
    orphans = 0
    for tag in tags:
        before = repaired[-1] if repaired else OUTSIDE
        if not may_follow(before, tag):
            tag = f"B-{split_tag(tag)[1]}"
            orphans += 1
        repaired.append(tag)
    return repaired, orphans


def without_types(tags: Sequence[str], types: Collection[str]) -> list[str]:
    """Return the tags with ``O`` in place of those of some types."""
    return [OUTSIDE if split_tag(tag)[1] in types else tag for tag in tags]


def tags_to_entities(tags: Sequence[str]) -> list[Entity]:
    """Read the entities off IOB2 tags, in order; an orphan ``I-`` starts an entity, as :func:`repair` has it."""
    entities: list[Entity] = []
    start = None
    legal, _ = repair(tags)
    for i, tag in enumerate([*legal, OUTSIDE]):
        if start is not None and not tag.startswith("I-"):
            entities.append(Entity(start, i, split_tag(legal[start])[1]))
            start = None
        if tag.startswith("B-"):
            start = i
    return entities

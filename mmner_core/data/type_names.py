"""Renames entity types (PERSON, GPE, ...) as a user says, and suggests which of ours they may be."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from mmner_core.data.example import Example
from mmner_core.errors import InputError, listed
from mmner_core.labels import OUTSIDE, LabelSet, is_tag, split_tag

_SAME = (
    ("PER", "PERSON", "PERS", "PEOPLE", "PEOP", "HUMAN"),
    ("LOC", "LOCATION", "GPE", "PLACE", "GEO", "GEO-LOC", "GEOLOC", "FAC", "FACILITY", "CITY", "COUNTRY"),
    ("ORG", "ORGANIZATION", "ORGANISATION", "ORGS", "COMPANY", "CORPORATION", "CORP", "GROUP"),
    ("MISC", "MISCELLANEOUS", "OTHER", "OTH", "NORP", "EVENT", "PRODUCT", "WORK_OF_ART", "CREATIVE-WORK"),
)
_GROUP = {name: group for group, names in enumerate(_SAME) for name in names}


@dataclass(frozen=True, slots=True)
class TypeNames:
    """A new name for each of some types, or ``O`` to leave their entities out."""

    names: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, settings: Iterable[str]) -> TypeNames:
        """Read ``OLD=NEW`` settings, as ``--map`` takes them.

        Raises:
            InputError: naming a setting of another form, or a type that is named twice.
        """
        names: dict[str, str] = {}
        for setting in settings:
            old, sign, new = setting.partition("=")
            if not sign or not _is_type(old) or not (_is_type(new) or new == OUTSIDE):
                raise InputError(f"--map {setting!r} renames nothing; write OLD=NEW, as in PERSON=PER, or OLD=O.")
            if names.setdefault(old, new) != new:
                raise InputError(f"--map renames {old} to {names[old]} and to {new}; choose one.")
        return cls(names)

    def rename(self, examples: Sequence[Example]) -> list[Example]:
        """Return the sentences with their types renamed."""
        return [self._rename(example) for example in examples] if self.names else list(examples)

    def rename_all(self, examples: Iterable[Example]) -> Iterator[Example]:
        """Yield the sentences with their types renamed, then :meth:`check` that all of these occurred."""
        present: set[str] = set()
        for example in examples:
            present.update(tag[2:] for tag in example.tags or () if tag != OUTSIDE)
            yield self._rename(example)
        self._check(present)

    def check(self, *parts: Iterable[Example]) -> None:
        """Check that each type that is to be renamed occurs.

        Raises:
            InputError: naming one that does not.
        """
        self._check({name for part in parts for name in count_types(part)} if self.names else set())

    def _check(self, present: set[str]) -> None:
        if missing := [name for name in self.names if name not in present]:
            raise InputError(f"--map {missing[0]}: no tag is of that type; there are {listed(sorted(present))}.")

    def _rename(self, example: Example) -> Example:
        if example.tags is None:
            return example
        tags = tuple(map(self.rename_tag, example.tags))
        return replace(example, tags=tags, orphans=tuple(i for i in example.orphans if tags[i] != OUTSIDE))

    def rename_tag(self, tag: str) -> str:
        """Return a tag with its type renamed; ``O`` where entities of the type are left out."""
        prefix, name = split_tag(tag)
        new = self.names.get(name, name)
        return OUTSIDE if OUTSIDE in (tag, new) else f"{prefix}-{new}"


def _is_type(name: str) -> bool:
    return is_tag(f"B-{name}")


def count_types(examples: Iterable[Example]) -> Counter[str]:
    """Count the names of each type."""
    return Counter(tag[2:] for example in examples for tag in example.tags or () if tag[0] == "B")


def suggest(names: Iterable[str], known: Sequence[str]) -> dict[str, str]:
    """Return for each type the known one that it may mean, where there is one."""
    found = {}
    for name in names:
        upper = name.upper()
        group = _GROUP.get(upper, -1)
        same = [k for k in known if k.upper() == upper] or [k for k in known if _GROUP.get(k.upper()) == group]
        if same:
            found[name] = same[0]
    return found


def how_to_rename(names: Sequence[str], known: Sequence[str], remedy: str = "add") -> str:
    """Return, as part of a sentence, the settings that rename unknown types.

    Args:
        names: the unknown types.
        known: the known ones.
        remedy: what to do with the settings.
    """
    meant = suggest(names, known)
    others = [name for name in names if name not in meant]
    parts = []
    if meant:
        settings = " ".join(f"--map {old}={new}" for old, new in meant.items())
        parts.append(f"{remedy} {settings} if that is what they mean")
    if others:
        settings = " ".join(f"--map {name}={OUTSIDE}" for name in others)
        parts.append(f"{remedy} {settings} to leave those names out")
    return ", ".join(parts)


def check_types(examples: Sequence[Example], labels: LabelSet, remedy: str = "add") -> None:
    """Check that a label set has all types of some sentences.

    Args:
        examples: sentences with legal tags.
        labels: what the model knows.
        remedy: what to do with the settings that rename types.

    Raises:
        InputError: naming the first word whose tag it lacks, all types that it lacks, and how to rename them.
    """
    unknown = [name for name in count_types(examples) if name not in labels.types]
    if not unknown:
        return
    example, place, tag = next(
        (e, i, tag) for e in examples for i, tag in enumerate(e.tags or ()) if tag[0] == "B" and tag[2:] in unknown
    )
    others = f", nor has it the types {listed(unknown[1:])}" if len(unknown) > 1 else ""
    raise InputError(
        f"{example.word_where(place)}: unknown tag {tag!r}; this label set has {', '.join(labels.tags)}{others}; "
        f"{how_to_rename(unknown, labels.types, remedy)}."
    )

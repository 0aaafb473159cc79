"""The lexicon of training entities: their surface forms, with their types."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from mmner_core.labels import tags_to_entities

if TYPE_CHECKING:
    from mmner_core.data import Example

SEEN_SAME, SEEN_OTHER, NEVER, UNKNOWN = "with this label", "with another label", "never", "not known"
SEEN = (SEEN_SAME, SEEN_OTHER, NEVER, UNKNOWN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Lexicon:
    """The entities of the training data.

    Attributes:
        types: surface form (words joined by one space, letter case kept) to the types it has as a gold entity.
            Languages are not kept apart: a name learnt in German is known in French.
        counts: surface form to how often it is a gold entity of each type; empty where that was not counted, as in runs
            of earlier versions.
    """

    types: dict[str, frozenset[str]]
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)

    @classmethod
    def from_examples(cls, examples: Iterable[Example]) -> Lexicon:
        """Collect the gold entities of the labelled examples; unlabelled ones are skipped."""
        found: dict[str, Counter[str]] = {}
        for example in examples:
            for entity in tags_to_entities(example.tags or ()):
                surface = " ".join(example.words[entity.start : entity.end])
                found.setdefault(surface, Counter())[entity.type] += 1
        return cls(types={surface: frozenset(types) for surface, types in found.items()}, counts=found)

    def seen(self, surfaces: Sequence[str], types: Sequence[str] | np.ndarray) -> np.ndarray:
        """Return for each entity whether training has its surface form with its type, with another one, or never."""
        return np.array([self._seen(s, t) for s, t in zip(surfaces, types, strict=True)], dtype=object)

    def restrict(self, surfaces: Iterable[str]) -> Lexicon:
        """Keep only the given surface forms, which is all that a run needs to store."""
        kept = [surface for surface in set(surfaces) if surface in self.types]
        counts = {surface: self.counts[surface] for surface in kept if surface in self.counts}
        return Lexicon(types={surface: self.types[surface] for surface in kept}, counts=counts)

    def frequencies(self, surfaces: Sequence[str], types: Sequence[str] | np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return how often training has each surface form as an entity, and how often as one of its type.

        NaN where it was not counted.
        """
        if not self.counts and self.types:
            unknown = np.full(len(surfaces), np.nan)
            return unknown, unknown
        found = [self.counts.get(surface, {}) for surface in surfaces]
        every = np.array([sum(of.values()) for of in found], dtype=float)
        return every, np.array([of.get(kind, 0) for of, kind in zip(found, types, strict=True)], dtype=float)

    def to_table(self) -> pa.Table:
        """Return the columns surface, types and, where they were counted, counts, sorted, for the run folder."""
        rows = [(surface, sorted(types)) for surface, types in sorted(self.types.items())]
        columns: dict[str, list[object]] = {"surface": [s for s, _ in rows], "types": [types for _, types in rows]}
        if not self.counts:
            return pa.table(columns, schema=_SCHEMA)
        columns["counts"] = [[self.counts[surface][kind] for kind in types] for surface, types in rows]
        return pa.table(columns, schema=_SCHEMA.append(_COUNTS))

    @classmethod
    def from_table(cls, table: pa.Table) -> Lexicon:
        """Read what :meth:`to_table` wrote.

        Raises:
            KeyError, TypeError, pyarrow.ArrowException: if it is something else.
        """
        columns = table.select(["surface", "types"]).cast(_SCHEMA).to_pydict()
        pairs = list(zip(columns["surface"], columns["types"], strict=True))
        types = {surface: frozenset(kinds) for surface, kinds in pairs}
        if _COUNTS.name not in table.column_names:
            return cls(types=types)
        numbers = table[_COUNTS.name].cast(_COUNTS.type).to_pylist()
        try:
            counted = zip(pairs, numbers, strict=True)
            counts = {s: dict(zip(kinds, map(int, n), strict=True)) for (s, kinds), n in counted}
        except ValueError as error:
            raise TypeError("each type needs a count") from error
        return cls(types=types, counts=counts)

    def _seen(self, surface: str, entity_type: str) -> str:
        types = self.types.get(surface)
        if types is None:
            return NEVER
        return SEEN_SAME if entity_type in types else SEEN_OTHER


_SCHEMA = pa.schema([("surface", pa.string()), ("types", pa.list_(pa.string()))])
_COUNTS = pa.field("counts", pa.list_(pa.int64()))

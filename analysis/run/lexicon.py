"""The lexicon of training names: which surface forms the training data name, and as what types."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
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
    """

    types: dict[str, frozenset[str]]

    @classmethod
    def from_examples(cls, examples: Iterable[Example]) -> Lexicon:
        """Collect the gold entities of the labelled examples; unlabelled ones teach nothing and are passed over."""
        found: dict[str, set[str]] = {}
        for example in examples:
            for entity in tags_to_entities(example.tags or ()):
                surface = " ".join(example.words[entity.start : entity.end])
                found.setdefault(surface, set()).add(entity.type)
        return cls(types={surface: frozenset(types) for surface, types in found.items()})

    def seen(self, surfaces: Sequence[str], types: Sequence[str] | np.ndarray) -> np.ndarray:
        """Say of each entity whether training has its surface form with its type, with another one, or never."""
        return np.array([self._seen(s, t) for s, t in zip(surfaces, types, strict=True)], dtype=object)

    def restrict(self, surfaces: Iterable[str]) -> Lexicon:
        """Keep only the given surface forms, which is all that a run needs to carry along."""
        return Lexicon(types={surface: self.types[surface] for surface in set(surfaces) if surface in self.types})

    def to_table(self) -> pa.Table:
        """Return the columns surface and types, sorted, for the run folder."""
        rows = sorted(self.types.items())
        return pa.table({"surface": [s for s, _ in rows], "types": [sorted(t) for _, t in rows]}, schema=_SCHEMA)

    @classmethod
    def from_table(cls, table: pa.Table) -> Lexicon:
        """Read what :meth:`to_table` wrote."""
        columns = table.select(["surface", "types"]).cast(_SCHEMA).to_pydict()
        pairs = zip(columns["surface"], columns["types"], strict=True)
        return cls(types={surface: frozenset(types) for surface, types in pairs})

    def _seen(self, surface: str, entity_type: str) -> str:
        types = self.types.get(surface)
        if types is None:
            return NEVER
        return SEEN_SAME if entity_type in types else SEEN_OTHER


_SCHEMA = pa.schema([("surface", pa.string()), ("types", pa.list_(pa.string()))])

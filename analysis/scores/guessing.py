"""Chance levels of retrieval: the recall of a random ranking, and of one that knows only the entity type.

Both are exact expectations over random orders. Sizes: Q queries, G items ranked, N pairs that belong
together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Guess:
    """The gallery to guess from.

    Attributes:
        gallery: G.
        partners: [Q] how many items count as found for each query.
        alike: [Q] how many items are of the query's type; 0 where its type is not known.
        partners_alike: [Q] how many of its partners are among these.
    """

    gallery: int
    partners: np.ndarray
    alike: np.ndarray
    partners_alike: np.ndarray

    @classmethod
    def among(cls, query_of: np.ndarray, item_of: np.ndarray, query_types: np.ndarray, item_types: np.ndarray) -> Guess:
        """Count partners and items of a type.

        Args:
            query_of: [N] the query of each pair.
            item_of: [N] its item.
            query_types: [Q] type of each query, "" where it is not known.
            item_types: [G] type of each item, likewise.
        """
        known, counts = np.unique(item_types[item_types != ""], return_counts=True)
        of_type = dict(zip(known.tolist(), counts.tolist(), strict=True))
        same = (query_types[query_of] == item_types[item_of]) & (query_types[query_of] != "")
        return cls(
            gallery=len(item_types),
            partners=np.bincount(query_of, minlength=len(query_types)),
            alike=np.array([of_type.get(name, 0) for name in query_types.tolist()], dtype=int),
            partners_alike=np.bincount(query_of[same], minlength=len(query_types)),
        )

    def chance(self, k: int) -> np.ndarray:
        """Return [Q] the probability that k items, drawn blindly, hold a partner."""
        return 1 - _none_among(np.full_like(self.partners, self.gallery), self.partners, k)

    def type_alone(self, k: int) -> np.ndarray:
        """Return [Q] the probability that the first k hold a partner where all items of the type stand first.

        The order is random among these and among the rest: with one partner, of that type, it is k / their number or 1;
        a partner of another type is not found before they are exhausted. Without a type it is chance.
        """
        rest, partners = self.gallery - self.alike, self.partners - self.partners_alike
        drawn = np.minimum(k, self.alike)
        return 1 - _none_among(self.alike, self.partners_alike, drawn) * _none_among(rest, partners, k - drawn)


def _none_among(size: np.ndarray, partners: np.ndarray, drawn: np.ndarray | int) -> np.ndarray:
    """Return [Q] the probability that a draw from ``size`` items holds none of the partners: C(s-p, d) / C(s, d)."""
    taken: np.ndarray = np.minimum(drawn, size)
    step = np.arange(taken.max(initial=0))
    left = np.maximum((size - partners)[:, None] - step, 0) / np.maximum(size[:, None] - step, 1)
    return np.where(step < taken[:, None], left, 1.0).prod(axis=1)

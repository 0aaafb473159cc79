"""Matches predicted entities to gold ones and classifies each error: the one definition every table uses.

Gold and predicted entities of a sentence that overlap by at least one word, directly or through others, form one
group. Entities of one side never overlap each other, so a group is a chain in the order of the sentence. Each group
is one row of :class:`Matches` and falls in exactly one class; so does each entity in it.

==================== =========== ====== ==================================================================
kind                 gold        pred.  when
==================== =========== ====== ==================================================================
correct              1           1      same span, same type
wrong type           1           1      same span, another type
boundary             1 or more   1+     spans differ, all entities of the group have one and the same type
boundary and type    1 or more   1+     spans differ, and not all types are the same
missed               1           0      no predicted entity touches it
spurious             0           1      it touches no gold entity
==================== =========== ====== ==================================================================

The two boundary kinds carry a detail, seen from the prediction; left and right are independent of each other:

==================================== ================================================================
detail                               when
==================================== ================================================================
cut left / cut right                 the prediction lacks words of the gold entity on that side
extended left / extended right       the prediction has words beyond the gold entity on that side
two of them, joined by ", "          both ends differ (``cut left, extended right`` is a shift)
split                                one gold entity, two or more predicted ones
merged                               two or more gold entities, one predicted one
split and merged                     two or more of each, chained by overlaps
==================================== ================================================================

Entities are read with orphan ``I-`` tags starting an entity (seqeval's default). Where the tags are legal IOB2, as
this workbench's CRF makes them, ``correct`` is therefore what strict F1 counts as true positive.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.run.spans import Spans

KINDS = ("correct", "wrong type", "boundary", "boundary and type", "missed", "spurious")
CORRECT, WRONG_TYPE, BOUNDARY, BOUNDARY_AND_TYPE, MISSED, SPURIOUS = range(6)

_LEFT = ("", "cut left", "extended left")
_RIGHT = ("", "cut right", "extended right")
_EDGES = tuple(", ".join(filter(None, (left, right))) for left in _LEFT for right in _RIGHT)
DETAILS = (*_EDGES, "split", "merged", "split and merged")
_SPLIT, _MERGED, _SPLIT_AND_MERGED = 9, 10, 11


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Matches:
    """G groups of gold and predicted entities; each entity of either side is in exactly one.

    Attributes:
        gold, predicted: the entities that were matched.
        sentence: [G] row number of the sentence.
        kind: [G] index into ``KINDS``.
        detail: [G] index into ``DETAILS``; 0, the empty text, unless the kind is a boundary one.
        gold_rows, predicted_rows: [G, 2] the group's entities are the rows ``from`` up to ``to`` of each table.
    """

    gold: Spans
    predicted: Spans
    sentence: np.ndarray
    kind: np.ndarray
    detail: np.ndarray
    gold_rows: np.ndarray
    predicted_rows: np.ndarray

    def __len__(self) -> int:
        return len(self.sentence)

    def partners(self) -> np.ndarray:
        """Return [N] the predicted entity that answers each gold one, -1 for none; no two share one.

        In a group of several, pairs are made by most shared words first, then same type, then leftmost.
        """
        partner = np.full(len(self.gold), -1)
        sizes = np.stack([np.diff(self.gold_rows)[:, 0], np.diff(self.predicted_rows)[:, 0]], axis=1)
        single = (sizes == 1).all(axis=1)
        partner[self.gold_rows[single, 0]] = self.predicted_rows[single, 0]
        for group in np.flatnonzero((sizes.min(axis=1) > 0) & ~single).tolist():
            for gold, predicted in self._pairs_by_overlap(group):
                if partner[gold] < 0 and predicted not in partner[slice(*self.gold_rows[group])]:
                    partner[gold] = predicted
        return partner

    def _pairs_by_overlap(self, group: int) -> list[tuple[int, int]]:
        ranked = []
        for gold in range(*self.gold_rows[group]):
            for predicted in range(*self.predicted_rows[group]):
                first = max(self.gold.start[gold], self.predicted.start[predicted])
                shared = min(self.gold.end[gold], self.predicted.end[predicted]) - first
                other_type = self.gold.type[gold] != self.predicted.type[predicted]
                if shared > 0:
                    ranked.append((-shared, other_type, gold, predicted))
        return [(gold, predicted) for _, _, gold, predicted in sorted(ranked)]


def match(gold: Spans, predicted: Spans) -> Matches:
    """Group overlapping entities and classify each group, for all sentences at once.

    Args:
        gold: the annotated entities.
        predicted: the model's entities on the same sentences, sharing the gold table's types (``read_spans``).

    Raises:
        ValueError: if the two tables are about different sentences or types.
    """
    if gold.types != predicted.types or not np.array_equal(gold.n_words, predicted.n_words):
        raise ValueError("Gold and predicted entities must come from one call of read_spans.")
    begin = np.concatenate((gold.first, predicted.first))
    end = np.concatenate((gold.last, predicted.last))
    is_gold = np.arange(len(begin)) < len(gold)
    order = np.lexsort((~is_gold, begin))
    begin, end, is_gold = begin[order], end[order], is_gold[order]
    # Walking from left to right, an entity opens a new group unless it begins before all earlier ones have ended.
    reach = np.maximum.accumulate(end)
    opens = np.concatenate(([True], begin[1:] >= reach[:-1])) if len(begin) else np.zeros(0, dtype=bool)
    group = np.cumsum(opens) - 1
    gold_rows = _row_ranges(group[is_gold], opens.sum())
    predicted_rows = _row_ranges(group[~is_gold], opens.sum())
    types = np.concatenate((gold.type, predicted.type))[order]
    kind, detail = _classify(gold, predicted, gold_rows, predicted_rows, _same_type(types, opens))
    return Matches(
        gold=gold,
        predicted=predicted,
        sentence=np.concatenate((gold.sentence, predicted.sentence))[order][opens],
        kind=kind,
        detail=detail,
        gold_rows=gold_rows,
        predicted_rows=predicted_rows,
    )


def _row_ranges(group: np.ndarray, n_groups: int) -> np.ndarray:
    sizes = np.bincount(group, minlength=n_groups)
    stops = np.cumsum(sizes)
    return np.stack([stops - sizes, stops], axis=1)


def _same_type(types: np.ndarray, opens: np.ndarray) -> np.ndarray:
    starts = np.flatnonzero(opens)
    if not len(starts):
        return np.zeros(0, dtype=bool)
    return np.minimum.reduceat(types, starts) == np.maximum.reduceat(types, starts)


def _classify(
    gold: Spans, predicted: Spans, gold_rows: np.ndarray, predicted_rows: np.ndarray, same_type: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    n_gold, n_predicted = np.diff(gold_rows)[:, 0], np.diff(predicted_rows)[:, 0]
    detail = np.zeros(len(n_gold), dtype=np.int8)
    detail[(n_gold == 1) & (n_predicted > 1)] = _SPLIT
    detail[(n_gold > 1) & (n_predicted == 1)] = _MERGED
    detail[(n_gold > 1) & (n_predicted > 1)] = _SPLIT_AND_MERGED
    single = (n_gold == 1) & (n_predicted == 1)
    one, other = gold_rows[single, 0], predicted_rows[single, 0]
    left = _edge(predicted.start[other] - gold.start[one])
    right = _edge(gold.end[one] - predicted.end[other])
    detail[single] = left * len(_RIGHT) + right

    kind = np.where(same_type, BOUNDARY, BOUNDARY_AND_TYPE).astype(np.int8)
    exact = single & (detail == 0)
    kind[exact] = np.where(same_type[exact], CORRECT, WRONG_TYPE)
    kind[n_predicted == 0] = MISSED
    kind[n_gold == 0] = SPURIOUS
    return kind, detail


def _edge(lacking: np.ndarray) -> np.ndarray:
    """Return for each end: 0 right, 1 cut (words missing), 2 extended."""
    return np.select([lacking > 0, lacking < 0], [1, 2], 0)

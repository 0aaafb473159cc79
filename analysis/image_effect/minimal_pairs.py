"""Minimal pairs: the same words with another image and another gold label, where only the image can decide.

A tagger that looks at words alone gives both members the same tags and is right on one of them at best.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.scores.breakdowns import by_part
from analysis.scores.estimate import Estimate, mean_estimate
from mmner_core.labels import Entity

# Exclusive and exhaustive. "Moved" means that the image changed the answer on the words in question.
OUTCOMES = (
    "both right",
    "moved, one right",
    "moved, none right",
    "swapped",
    "unmoved, one right",
    "unmoved, none right",
)
BOTH_RIGHT, MOVED_ONE, MOVED_NONE, SWAPPED, UNMOVED_ONE, UNMOVED_NONE = OUTCOMES
FLIPPED_RIGHT = "flipped the right way"  # both right, or moved with one right: never by luck of a constant answer


@dataclass(frozen=True, slots=True, kw_only=True)
class MinimalPair:
    """Two sentences of equal words, different images and different gold entities.

    Attributes:
        first, second: row numbers of the sentences.
        group: number of their word sequence; a sequence with three readings makes three pairs.
        contested: gold entities that only one of the two has: ``(of the first, of the second)``.
    """

    first: int
    second: int
    group: int
    contested: tuple[frozenset[Entity], frozenset[Entity]]


def find_minimal_pairs(answers: Answers) -> list[MinimalPair]:
    """Find the minimal pairs among the sentences of one condition.

    Images are told apart by the id the data give; call it with the condition "matched", since under the others the
    images shown are not the data's. A language is part of the words: equal words in two languages are no pair.
    """
    image_ids = answers.sentences["image_id"].to_numpy()
    languages = answers.languages
    gold = _entity_sets(answers.gold.sentence, answers.gold.entities(), len(answers))
    groups: dict[tuple[str, tuple[str, ...]], list[int]] = defaultdict(list)
    for row, words in enumerate(answers.table["words"].to_pylist()):
        if image_ids[row]:
            groups[languages[row], tuple(words)].append(row)
    return [
        MinimalPair(first=a, second=b, group=number, contested=(gold[a] - gold[b], gold[b] - gold[a]))
        for number, rows in enumerate(groups.values())
        for a, b in combinations(rows, 2)
        if image_ids[a] != image_ids[b] and gold[a] != gold[b]
    ]


def pair_outcomes(pairs: list[MinimalPair], answers: Answers) -> list[str]:
    """Return the outcome of each pair: one of :data:`OUTCOMES`.

    Only the contested words count: those of the entities that the two gold readings do not share. A member is right if
    the predicted entities that touch them are exactly its own contested gold entities. ``answers`` may be of another
    condition, with the same sentences in the same rows.
    """
    predicted = _entity_sets(answers.predicted.sentence, answers.predicted.entities(), len(answers))
    return [_outcome(pair, predicted[pair.first], predicted[pair.second]) for pair in pairs]


def pair_table(pairs: list[MinimalPair], outcomes: list[str], languages: np.ndarray, *, seed: int = 0) -> pd.DataFrame:
    """Return the share of each outcome, and of "flipped the right way", per language and over all.

    One row per ``language`` and ``outcome``: ``n_pairs`` with this outcome, ``value`` (share), ``low``, ``high`` and
    ``n``. Every word sequence weighs the same, however many pairs it makes; n and the interval are over sequences.
    """
    group = np.array([pair.group for pair in pairs], dtype=int)
    found = np.array(outcomes, dtype=object)
    rows = []
    for name, mask in by_part([languages[pair.first] for pair in pairs]):
        for outcome in (*OUTCOMES, FLIPPED_RIGHT):
            wanted = (BOTH_RIGHT, MOVED_ONE) if outcome == FLIPPED_RIGHT else (outcome,)
            hit = np.isin(found[mask], wanted)
            share = _mean_of_groups(hit, group[mask], seed)
            rows.append({"language": name, "outcome": outcome, "n_pairs": int(hit.sum())} | share.to_row())
    return pd.DataFrame(rows)


def _outcome(pair: MinimalPair, first: frozenset[Entity], second: frozenset[Entity]) -> str:
    words = {i for entities in pair.contested for entity in entities for i in range(entity.start, entity.end)}
    answers = [frozenset(e for e in side if words & set(range(e.start, e.end))) for side in (first, second)]
    right = sum(answer == gold for answer, gold in zip(answers, pair.contested, strict=True))
    if answers[0] == answers[1]:
        return UNMOVED_ONE if right else UNMOVED_NONE
    if right:
        return BOTH_RIGHT if right == 2 else MOVED_ONE
    return SWAPPED if (answers[1], answers[0]) == pair.contested else MOVED_NONE


def _entity_sets(sentence: np.ndarray, entities: list[Entity], n: int) -> list[frozenset[Entity]]:
    sets: list[set[Entity]] = [set() for _ in range(n)]
    for row, entity in zip(sentence.tolist(), entities, strict=True):
        sets[row].add(entity)
    return [frozenset(entities) for entities in sets]


def _mean_of_groups(values: np.ndarray, group: np.ndarray, seed: int) -> Estimate:
    _, place = np.unique(group, return_inverse=True)
    sizes = np.bincount(place)
    return mean_estimate(np.bincount(place, weights=values) / np.maximum(sizes, 1), seed=seed)

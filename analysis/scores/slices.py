"""Scores within slices, and the worst slices found by a shallow decision tree.

Rows of the tree are all gold and all predicted entities, its target is whether the entity is right. A true positive is
one row on each side, so the mean of the target over any slice is 2 correct / (gold + predicted): its F1, exactly.
The tree therefore looks for the slices whose F1 differ most (CART, squared error). A slice looks worse on the data it
was selected on than it is, so the tree is grown on one half of the sentences and each slice is scored on the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.lexicon import Lexicon
from analysis.scores.attributes import ATTRIBUTES, PHRASES, attribute_table
from analysis.scores.metrics import SCORE_DTYPES, Judged, Score, judge, score, score_row


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class SlicedEntities:
    """Entities of both sides under one rule, with their attributes.

    Attributes:
        judged: right or not.
        gold, predicted: attributes of the counted entities, see :func:`analysis.scores.attributes.attribute_table`.
    """

    judged: Judged
    gold: pd.DataFrame
    predicted: pd.DataFrame

    @classmethod
    def build(cls, answers: Answers, lexicon: Lexicon | None = None, rule: str = "strict") -> SlicedEntities:
        """Judge the entities and describe them.

        Raises:
            ValueError: under the rules exact and overlap, where a right pair may differ in its attributes.
        """
        if rule not in ("strict", "lenient"):
            raise ValueError(f"Slices need a rule under which right pairs are equal: strict or lenient, not {rule!r}.")
        judged = judge(answers.gold, answers.predicted, rule)
        gold = attribute_table(answers, judged.gold, lexicon)
        return cls(judged=judged, gold=gold, predicted=attribute_table(answers, judged.predicted, lexicon))

    def counts(self, attribute: str, value: str) -> np.ndarray:
        """Return [S, 3] counts of the slice in which ``attribute`` is ``value``."""
        masks = ((table[attribute] == value).to_numpy() for table in (self.gold, self.predicted))
        return self.judged.counts(*masks)


@dataclass(frozen=True, slots=True, kw_only=True)
class Slice:
    """A slice the tree found.

    Attributes:
        description: what its entities have in common, in words.
        conditions: the same as (attribute, value, whether it has that value).
        score: measured on sentences the tree has not seen.
        share: of all gold and predicted entities of those sentences, 0 to 1.
        sentences: row numbers of all sentences with an entity of the slice, seen by the tree or not.
    """

    description: str
    conditions: tuple[tuple[str, str, bool], ...]
    score: Score
    share: float
    sentences: np.ndarray


def slice_table(
    sliced: SlicedEntities, attributes: Sequence[str] = ATTRIBUTES, *, languages: np.ndarray | None = None
) -> pd.DataFrame:
    """Score each value of each attribute.

    Args:
        sliced: the entities.
        attributes: which columns to split by; values that no entity has are left out.
        languages: [S] to split each slice by language too, with an "all" row.

    Returns:
        attribute, value, language and the columns of :func:`analysis.scores.metrics.score_row`.
    """
    rows = []
    for attribute in attributes:
        used = pd.concat([sliced.gold[attribute], sliced.predicted[attribute]]).unique()
        for value in [v for v in sliced.gold[attribute].cat.categories if v in set(used)]:
            counts = sliced.counts(attribute, value)
            for language in ("all", *sorted(set([] if languages is None else languages))):
                chosen = counts if language == "all" else counts[languages == language]
                key = {"attribute": attribute, "value": value, "language": language}
                rows.append({**key, **score_row(score(chosen, sliced.judged.rule))})
    columns = ["attribute", "value", "language", *score_row(score(np.zeros((0, 3)), "strict"))]
    return pd.DataFrame(rows, columns=columns).astype(SCORE_DTYPES)


def worst_slices(
    sliced: SlicedEntities, *, max_depth: int = 3, min_share: float = 0.01, min_entities: int = 30, seed: int = 0
) -> list[Slice]:
    """Find the slices with the lowest F1, worst first.

    Args:
        sliced: the entities.
        max_depth: how many attributes a description may combine.
        min_share: smallest slice as a share of all gold and predicted entities of the searched half.
        min_entities: smallest slice in gold and predicted entities of the searched half.
        seed: of the split into halves and of ties in the tree.

    Returns:
        The tree's leaves, sorted by F1 on the half not searched; empty where the data are too few to search, and
        without the leaves in which that half has no entity.
    """
    from sklearn.tree import DecisionTreeRegressor

    gold, predicted = sliced.judged.gold, sliced.judged.predicted
    searched = np.random.default_rng(seed).permutation(gold.n_sentences) < gold.n_sentences // 2
    table = pd.concat([sliced.gold, sliced.predicted], ignore_index=True)
    indicators, names = _indicators(table)
    right = np.concatenate([sliced.judged.gold_right, sliced.judged.predicted_right]).astype(float)
    in_search = searched[np.concatenate([gold.sentence, predicted.sentence])]
    smallest = max(min_entities, int(np.ceil(min_share * in_search.sum())))
    if in_search.sum() < 2 * smallest or not names:
        return []
    tree = DecisionTreeRegressor(max_depth=max_depth, min_samples_leaf=smallest, random_state=seed)
    tree.fit(indicators[in_search], right[in_search])
    leaf_of_row = tree.apply(indicators)
    found = [
        _measure(sliced, leaf_of_row == leaf, searched, _simplify(path, names)) for leaf, path in _leaves(tree.tree_)
    ]
    return sorted((s for s in found if s.score.f1 is not None), key=lambda s: s.score.f1 or 0.0)


def _measure(
    sliced: SlicedEntities, rows: np.ndarray, searched: np.ndarray, conditions: tuple[tuple[str, str, bool], ...]
) -> Slice:
    n_gold = len(sliced.gold)
    counts = sliced.judged.counts(rows[:n_gold], rows[n_gold:])
    everything = sliced.judged.counts()[~searched, 1:].sum()
    return Slice(
        description=describe_conditions(conditions),
        conditions=conditions,
        score=score(counts[~searched], sliced.judged.rule),
        share=float(counts[~searched, 1:].sum() / everything) if everything else 0.0,
        sentences=np.flatnonzero(counts.any(axis=1)),
    )


def describe_conditions(conditions: Sequence[tuple[str, str, bool]]) -> str:
    """Describe in words what a slice's entities have in common."""
    phrases = [f"{PHRASES[name]} {'is' if has else 'is not'} {value}" for name, value, has in conditions]
    return "; ".join(phrases) or "all entities"


def _indicators(table: pd.DataFrame) -> tuple[np.ndarray, list[tuple[str, str]]]:
    """Write each (attribute, value) that occurs as a 0/1 column; attributes with a single value split nothing."""
    names = [
        (attribute, str(value))
        for attribute in ATTRIBUTES
        if table[attribute].nunique() > 1
        for value in table[attribute].cat.categories
        if (table[attribute] == value).any()
    ]
    columns = [(table[attribute] == value).to_numpy(dtype=np.float32) for attribute, value in names]
    return (np.stack(columns, axis=1) if columns else np.zeros((len(table), 0), dtype=np.float32)), names


def _leaves(tree: object) -> Iterator[tuple[int, list[tuple[int, bool]]]]:
    """Walk scikit-learn's arrays; yield each leaf with the (column, is one) decisions that lead to it."""
    open_nodes: list[tuple[int, list[tuple[int, bool]]]] = [(0, [])]
    while open_nodes:
        node, path = open_nodes.pop()
        left, right = tree.children_left[node], tree.children_right[node]  # type: ignore[attr-defined]
        if left < 0:
            yield node, path
            continue
        column = int(tree.feature[node])  # type: ignore[attr-defined]
        open_nodes += [(left, [*path, (column, False)]), (right, [*path, (column, True)])]


def _simplify(path: list[tuple[int, bool]], names: list[tuple[str, str]]) -> tuple[tuple[str, str, bool], ...]:
    """Drop "is not" where the same attribute has an "is", which implies it."""
    conditions = [(*names[column], has) for column, has in path]
    fixed = {attribute for attribute, _, has in conditions if has}
    return tuple(c for c in conditions if c[2] or c[0] not in fixed)

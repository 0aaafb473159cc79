"""Tests of a heat map's faithfulness: occlusion, and deletion and insertion against random orders.

Everything here asks the model one question, a :data:`CellScore`: the probability of an entity when only some cells of
the photo are visible. The others are covered with those of another photo, or with even grey, which is like no photo.
Maps come from anywhere (attention, gradients, another model). Sizes: G = rows x columns cells, K points of a curve, R
random orders.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.scores.estimate import mean_estimate

# [n, rows, columns] booleans, true where a cell is visible -> [n] probabilities.
CellScore = Callable[[np.ndarray], np.ndarray]
STEPS = 10
RANDOM_ORDERS = 39
LEVEL = 0.05
RANDOM_ORDER = "random order"
"""What tables call the random orders beside the maps."""
RANDOM_MODEL = " (random model)"
"""What tables put after a map's name where it is that of a model with random weights."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Curve:
    """A probability as cells are deleted or inserted.

    Attributes:
        share: [K] share of the cells that are gone (deletion) or there (insertion), 0 to 1.
        probability: [K].
    """

    share: np.ndarray
    probability: np.ndarray

    @property
    def auc(self) -> float:
        """Return the area under the curve, 0 to 1."""
        return float(np.trapezoid(self.probability, self.share))


@dataclass(frozen=True, slots=True, kw_only=True)
class MapTest:
    """A map's deletion and insertion curves beside those of R random orders of the same cells.

    Attributes:
        deletion: cells covered from the hottest on; a good map falls fast, so a small area is good.
        insertion: cells shown from the hottest on; a large area is good.
        random_deletion: [R, K] probabilities of the random orders at the same shares.
        random_insertion: [R, K].
    """

    deletion: Curve
    insertion: Curve
    random_deletion: np.ndarray
    random_insertion: np.ndarray

    @property
    def random_auc(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the areas [R] of the random orders: deletion, insertion."""
        share = self.deletion.share
        return np.trapezoid(self.random_deletion, share), np.trapezoid(self.random_insertion, share)

    @property
    def p_deletion(self) -> float:
        """Return the permutation p value: how often a random order deletes as well, (1 + count) / (1 + R)."""
        random = self.random_auc[0]
        return float((1 + (random <= self.deletion.auc).sum()) / (1 + len(random)))

    @property
    def better_than_chance(self) -> bool:
        """Return whether the map passes: its deletion p value is at most 0.05.

        With 39 random orders: at most one of them deletes as fast as the map does.
        """
        return self.p_deletion <= LEVEL

    def verdict(self) -> str:
        """Return one sentence for the badge."""
        auc, random = self.deletion.auc, self.random_auc[0]
        numbers = f"deletion area {auc:.3f}, random orders {random.mean():.3f} on average (n = {len(random)})"
        if self.better_than_chance:
            return f"Better than chance: {numbers}, p = {self.p_deletion:.3f}."
        return f"No better than chance: {numbers}, p = {self.p_deletion:.2f}."


def occlusion_map(score: CellScore, grid: tuple[int, int]) -> np.ndarray:
    """Return [rows, columns] by how much the probability falls when the cell alone is covered (negative: it rises)."""
    return occlusion_falls(score(each_hidden(grid)), grid)


def each_hidden(grid: tuple[int, int]) -> np.ndarray:
    """Return the visible cells, [G + 1, rows, columns], with each cell in turn covered, and finally none."""
    rows, columns = grid
    return np.concatenate([~np.eye(rows * columns, dtype=bool), np.ones((1, rows * columns), dtype=bool)]).reshape(
        -1, rows, columns
    )


def occlusion_falls(probability: np.ndarray, grid: tuple[int, int]) -> np.ndarray:
    """Return the occlusion map of the answers [G + 1] to :func:`each_hidden`."""
    return (probability[-1] - probability[:-1]).reshape(grid)


def check_maps(
    score: CellScore,
    maps: Mapping[str, np.ndarray],
    *,
    steps: int = STEPS,
    random_orders: int = RANDOM_ORDERS,
    seed: int = 0,
) -> dict[str, MapTest]:
    """Draw deletion and insertion curves of several maps of one photo against the same random orders.

    The order of a map is from its hottest cell down, ties at random, so that an even map is a random order. Insertion
    by an order is deletion by the reverse order read backwards, and the reverse of a random order is as random: one set
    of evaluations serves both.

    Args:
        score: the model's answer to partly covered photos.
        maps: [rows, columns] each, of one shape.
        steps: into how many steps the cells are divided.
        random_orders: R, at least 19 for the verdict to be able to pass.
        seed: of the random orders and of ties.
    """
    rng = np.random.default_rng(seed)
    grid = next(iter(maps.values())).shape
    orders = [np.lexsort((rng.random(heat.size), -heat.ravel())) for heat in maps.values()]
    orders += [order[::-1] for order in orders]
    orders += [rng.permutation(grid[0] * grid[1]) for _ in range(random_orders)]
    share, curves = _deletion_curves(score, orders, grid, steps)
    deletion, reverse, random = np.split(curves, [len(maps), 2 * len(maps)])
    return {
        name: MapTest(
            deletion=Curve(share=share, probability=deletion[i]),
            insertion=Curve(share=share, probability=reverse[i, ::-1]),
            random_deletion=random,
            random_insertion=random[:, ::-1],
        )
        for i, name in enumerate(maps)
    }


def _deletion_curves(
    score: CellScore, orders: Sequence[np.ndarray], grid: tuple[int, ...], steps: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return the shares deleted [K] and the probabilities [orders, K]; the whole and the covered photo are asked once.

    The counts are symmetric about the middle, so that a curve read backwards has the same shares.
    """
    n = grid[0] * grid[1]
    half = np.round(np.linspace(0, n, min(steps, n) + 1)[: min(steps, n) // 2 + 1]).astype(int)
    counts = np.unique(np.concatenate([half, n - half]))
    inner = counts[1:-1]
    rank = np.stack([np.argsort(order) for order in orders])  # when each cell goes
    visible = rank[:, None, :] >= inner[None, :, None]  # [orders, K - 2, G]
    ends = np.stack([np.ones(n, dtype=bool), np.zeros(n, dtype=bool)])
    answers = score(np.concatenate([ends, visible.reshape(-1, n)]).reshape(-1, *grid))
    first, last = np.full((len(orders), 1), answers[0]), np.full((len(orders), 1), answers[1])
    return counts / n, np.concatenate([first, answers[2:].reshape(len(orders), -1), last], axis=1)


def map_table(tests: Sequence[Mapping[str, MapTest]], clusters: Sequence[int] | None = None) -> pd.DataFrame:
    """Summarise the tests of many entities: one row per method and quantity, with ``value``, ``low``, ``high``, ``n``.

    Quantities: ``deletion_auc``, ``insertion_auc``; ``deletion_gain`` and ``insertion_gain``, areas by which the map
    beats the mean of its random orders (positive is good, 0 is chance); ``better_than_chance``, the share of maps that
    pass (0.05 is chance).

    Args:
        tests: per entity, method to test.
        clusters: the sentence of each entity, resampled whole.
    """
    names = list(dict.fromkeys(name for test in tests for name in test))
    rows = []
    for name in names:
        have = [i for i, test in enumerate(tests) if name in test]
        of = [tests[i][name] for i in have]
        within = None if clusters is None else np.array([clusters[i] for i in have])
        quantities = {
            "deletion_auc": [t.deletion.auc for t in of],
            "insertion_auc": [t.insertion.auc for t in of],
            "deletion_gain": [t.random_auc[0].mean() - t.deletion.auc for t in of],
            "insertion_gain": [t.insertion.auc - t.random_auc[1].mean() for t in of],
            "better_than_chance": [t.better_than_chance for t in of],
        }
        for quantity, values in quantities.items():
            estimate = mean_estimate(np.array(values, dtype=float), clusters=within)
            rows.append({"method": name, "quantity": quantity} | estimate.to_row())
    return pd.DataFrame(rows)


def rank_correlation(one: np.ndarray, other: np.ndarray) -> float | None:
    """Return Spearman's correlation of two maps, None where one of them is even.

    Beside the map of a randomly initialised model: a map that hardly differs from it shows the photo or the network's
    build, not what was learnt (Adebayo et al., NeurIPS 2018).
    """
    if np.ptp(one) == 0 or np.ptp(other) == 0:
        return None
    ranks = [pd.Series(heat.ravel()).rank() for heat in (one, other)]
    return float(ranks[0].corr(ranks[1]))

"""Heat maps on trial: a model whose secret is known must pass its own map and fail a blind one."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.heat_maps.attribution import MapTest, check_maps, map_table, occlusion_map, rank_correlation

GRID = (4, 5)
WEIGHTS = np.random.default_rng(0).dirichlet(np.ones(20) * 0.3).reshape(GRID)


def additive(visible: np.ndarray) -> np.ndarray:
    """Answer with the summed weight of the visible cells: a model whose true map is ``WEIGHTS``."""
    return (visible * WEIGHTS).sum(axis=(1, 2))


def indifferent(visible: np.ndarray) -> np.ndarray:
    """Answer 0.7 whatever is visible: a model that does not look."""
    return np.full(len(visible), 0.7)


def test_occlusion_recovers_the_weights() -> None:
    """Greying a cell of an additive model costs its weight; a model that does not look yields zeros."""
    np.testing.assert_allclose(occlusion_map(additive, GRID), WEIGHTS)
    assert not occlusion_map(indifferent, GRID).any()


def test_curves_equal_removing_cells_by_hand() -> None:
    """In single steps the deletion curve is what is left after each of the hottest cells, insertion what has come."""
    test = check_maps(additive, {"true": WEIGHTS}, steps=20)["true"]
    hottest = np.sort(WEIGHTS.ravel())[::-1]
    gone = np.concatenate([[0], np.cumsum(hottest)])
    np.testing.assert_allclose(test.deletion.share, np.arange(21) / 20)
    np.testing.assert_allclose(test.deletion.probability, 1 - gone, atol=1e-9)
    np.testing.assert_allclose(test.insertion.probability, gone, atol=1e-9)
    assert test.insertion.auc == pytest.approx(np.trapezoid(gone, dx=1 / 20))


def test_the_true_map_passes_and_its_reverse_fails() -> None:
    """The true map has the smallest deletion area of all orders; the reversed one the largest."""
    tests = check_maps(additive, {"true": WEIGHTS, "reversed": -WEIGHTS})
    assert tests["true"].better_than_chance
    assert tests["true"].p_deletion == 1 / 40
    assert tests["true"].verdict().startswith("Better than chance: deletion area")
    assert not tests["reversed"].better_than_chance
    assert tests["reversed"].verdict().startswith("No better than chance")


def test_any_map_of_a_model_that_does_not_look_is_no_better_than_chance() -> None:
    """All orders are equal then, and equal is not better."""
    test = check_maps(indifferent, {"vivid": WEIGHTS})["vivid"]
    assert (test.p_deletion, test.better_than_chance) == (1.0, False)


def test_an_even_map_passes_as_often_as_a_random_one() -> None:
    """Ties are broken at random, so of 200 even maps about 5 % pass."""
    passed = [
        check_maps(additive, {"even": np.zeros(GRID)}, seed=seed)["even"].better_than_chance for seed in range(200)
    ]
    assert 2 <= sum(passed) <= 20


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 60), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_curves_of_any_grid_and_step_begin_and_end_alike(steps: int, rows: int, columns: int, seed: int) -> None:
    """All curves run from the whole photo to the grey one or back, at shares that mirror each other."""

    def score(visible: np.ndarray) -> np.ndarray:
        return visible.mean(axis=(1, 2))

    heat = np.random.default_rng(seed).random((rows, columns))
    test = check_maps(score, {"map": heat}, steps=steps, random_orders=3, seed=seed)["map"]
    np.testing.assert_allclose(test.deletion.share + test.deletion.share[::-1], 1)
    for curve, ends in ((test.deletion.probability, (1, 0)), (test.insertion.probability, (0, 1))):
        assert (curve[0], curve[-1]) == ends
    assert (test.random_deletion[:, 0] == 1).all()
    assert (test.random_insertion[:, -1] == 1).all()
    np.testing.assert_allclose(test.deletion.probability, 1 - test.deletion.share)


def test_table_over_entities() -> None:
    """Per method: areas, gain over random orders, and the share that passes, with n."""
    tests = [check_maps(additive, {"true": WEIGHTS, "even": np.zeros(GRID)}, seed=seed) for seed in range(12)]
    table = map_table(tests).set_index(["method", "quantity"])
    assert table.loc[("true", "better_than_chance"), ["value", "n"]].tolist() == [1, 12]
    assert table.loc[("true", "deletion_gain"), "low"] > 0
    assert table.loc[("true", "insertion_gain"), "low"] > 0
    assert abs(table.loc[("even", "deletion_gain"), "value"]) < table.loc[("true", "deletion_gain"), "value"] / 4
    assert map_table([]).empty


def test_rank_correlation() -> None:
    """A map agrees with itself and with any monotone copy; an even map agrees with nothing."""
    assert rank_correlation(WEIGHTS, WEIGHTS**3) == pytest.approx(1)
    assert rank_correlation(WEIGHTS, -WEIGHTS) == pytest.approx(-1)
    assert rank_correlation(WEIGHTS, np.zeros(GRID)) is None


def test_same_seed_same_test() -> None:
    """The random orders depend on the seed alone."""

    def once(seed: int) -> MapTest:
        return check_maps(additive, {"true": WEIGHTS}, seed=seed)["true"]

    np.testing.assert_array_equal(once(1).random_deletion, once(1).random_deletion)
    assert not np.array_equal(once(1).random_deletion, once(2).random_deletion)

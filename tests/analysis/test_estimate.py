"""A mean with its interval."""

import numpy as np
import pytest

from analysis.scores.estimate import mean_estimate


def test_interval_matches_the_normal_theory() -> None:
    """For 400 values the percentile interval is the textbook one, mean +- 1.96 standard errors, within a tenth."""
    values = np.random.default_rng(0).normal(3, 2, 400)
    estimate = mean_estimate(values)
    assert estimate.value == pytest.approx(values.mean())
    assert estimate.n == 400
    assert estimate.interval is not None
    half = 1.96 * values.std() / 20
    assert estimate.interval.low == pytest.approx(values.mean() - half, abs=half / 10)
    assert estimate.interval.high == pytest.approx(values.mean() + half, abs=half / 10)


def test_coverage_on_simulated_data() -> None:
    """The 95 % interval of 60 coin flips holds the truth in about 95 of 100 repetitions."""
    rng = np.random.default_rng(1)
    held = 0
    for i in range(200):
        interval = mean_estimate(rng.random(60) < 0.3, seed=i, resamples=400).interval
        assert interval is not None
        held += interval.low <= 0.3 <= interval.high
    assert 180 <= held <= 198


def test_transform_applies_to_value_and_bounds() -> None:
    """A logarithm of the mean has the logarithms of the bounds."""
    values = np.random.default_rng(0).uniform(1, 2, 50)
    plain, logged = mean_estimate(values), mean_estimate(values, transform=np.log)
    assert plain.interval and logged.interval and plain.value
    assert logged.value == pytest.approx(np.log(plain.value))
    assert logged.interval.low == pytest.approx(np.log(plain.interval.low))


def test_few_or_no_items_have_no_interval() -> None:
    """Nothing is divided by zero, and three items do not pretend to an interval."""
    assert mean_estimate(np.empty(0)).to_row() == {"value": None, "low": None, "high": None, "n": 0}
    assert mean_estimate(np.array([1, 2, 3])).to_row() == {"value": 2.0, "low": None, "high": None, "n": 3}


def test_items_of_one_cluster_are_no_independent_evidence() -> None:
    """Repeating every value four times within its cluster leaves the interval as it was; the plain one shrinks."""
    values = np.random.default_rng(0).normal(size=40)
    single = mean_estimate(values)
    repeated = mean_estimate(np.repeat(values, 4), clusters=np.repeat(np.arange(40), 4))
    assert repeated.n == 160
    assert single.interval and repeated.interval
    assert repeated.interval.low == pytest.approx(single.interval.low)
    assert repeated.interval.high == pytest.approx(single.interval.high)


def test_clusters_of_unequal_size_weigh_by_their_items() -> None:
    """The value is the plain mean of the items whatever the clusters, and few clusters have no interval."""
    estimate = mean_estimate(np.array([1.0] * 30 + [0.0]), clusters=np.array([0] * 30 + [1]))
    assert estimate.value == pytest.approx(30 / 31)
    assert estimate.interval is None

"""The bootstrap covers what it says it covers, and is the resampling it stands for."""

import numpy as np
import pytest

from analysis.scores.bootstrap import f1, f1_difference, f1_interval, resample_totals


def simulate(rng: np.random.Generator, n: int, skill: float) -> np.ndarray:
    """Draw counts of ``n`` sentences whose names are found with a chance that varies per sentence."""
    gold = rng.poisson(1.5, n)
    chance = rng.beta(10 * skill, 10 * (1 - skill), n)
    correct = rng.binomial(gold, chance)
    return np.stack([correct, correct + rng.binomial(2, 0.1, n), gold], axis=1)


def test_intervals_cover_the_truth() -> None:
    """About 95 of 100 intervals hold the F1 of the population they were drawn from."""
    rng = np.random.default_rng(1)
    truth = float(f1(simulate(rng, 400_000, 0.8).sum(axis=0)))
    hits = 0
    for i in range(200):
        interval = f1_interval(simulate(rng, 150, 0.8), resamples=400, seed=i)
        hits += interval.low <= truth <= interval.high
    assert 0.90 <= hits / 200 <= 0.99


def test_difference_intervals_cover_the_truth() -> None:
    """The paired interval holds the true difference as often as it says."""
    rng = np.random.default_rng(2)

    def pair(n: int) -> tuple[np.ndarray, np.ndarray]:
        a = simulate(rng, n, 0.7)
        gained = rng.binomial(a[:, 2] - a[:, 0], 0.2)
        b = np.stack([a[:, 0] + gained, a[:, 1] + gained, a[:, 2]], axis=1)
        return a, b

    a, b = pair(400_000)
    truth = float(f1(b.sum(axis=0)) - f1(a.sum(axis=0)))
    hits = 0
    for i in range(200):
        interval = f1_difference(*pair(150), resamples=400, seed=i).interval
        hits += interval.low <= truth <= interval.high
    assert 0.90 <= hits / 200 <= 0.99


def test_totals_are_distributed_as_resampled_sentences() -> None:
    """Mean and covariance of the totals are those of drawing sentences with replacement."""
    counts = simulate(np.random.default_rng(3), 40, 0.6)
    totals = resample_totals(counts, resamples=20_000, seed=4)
    assert totals.mean(axis=0) == pytest.approx(counts.sum(axis=0), rel=0.01)
    expected = len(counts) * np.cov(counts.T, bias=True)
    assert np.cov(totals.T) == pytest.approx(expected, rel=0.06, abs=0.5)


def test_large_counts_do_not_overflow() -> None:
    """Texts of a hundred thousand words are resampled like any other."""
    counts = np.array([[10**5, 10**5 + i, 10**5] * 2 for i in range(20)])
    assert resample_totals(counts, resamples=5)[:, 0].tolist() == [20 * 10**5] * 5


def test_the_same_seed_gives_the_same_interval() -> None:
    """A number on screen can be derived again."""
    counts = simulate(np.random.default_rng(5), 60, 0.8)
    assert f1_interval(counts, seed=7) == f1_interval(counts, seed=7)
    assert f1_interval(counts, seed=7) != f1_interval(counts, seed=8)


def test_sentences_without_entities_do_not_move_the_score() -> None:
    """They count for nothing in F1, and the interval stays about where it was."""
    counts = simulate(np.random.default_rng(6), 200, 0.8)
    padded = np.concatenate([counts, np.zeros((2000, 3), dtype=int)])
    narrow, wide = f1_interval(counts), f1_interval(padded)
    assert wide.low == pytest.approx(narrow.low, abs=0.01)
    assert wide.high == pytest.approx(narrow.high, abs=0.01)


def test_tiny_and_empty_slices_have_no_interval() -> None:
    """Nine sentences with an entity are too few, and nothing is divided by zero."""
    counts = np.ones((9, 3), dtype=int)
    assert f1_interval(counts) is None
    assert f1_interval(np.zeros((0, 3), dtype=int)) is None
    nothing = f1_difference(np.zeros((3, 3), dtype=int), np.zeros((3, 3), dtype=int))
    assert (nothing.f1_a, nothing.difference, nothing.interval, nothing.n_sentences) == (None, None, None, 3)
    assert f1_difference(counts, counts).difference == 0


def test_equal_predictions_differ_by_nothing() -> None:
    """The paired interval of a system against itself is the point zero."""
    counts = simulate(np.random.default_rng(8), 50, 0.8)
    same = f1_difference(counts, counts)
    assert (same.difference, same.interval.low, same.interval.high, same.share_above) == (0, 0, 0, 0.5)


def test_strata_weigh_the_same() -> None:
    """The mean of two languages does not lean to the larger one."""
    right, wrong = np.array([[1, 1, 1]]), np.array([[0, 1, 1]])
    a = np.concatenate([wrong.repeat(90, 0), right.repeat(10, 0)])
    b = right.repeat(100, 0)
    strata = np.array(["en"] * 90 + ["de"] * 10)
    result = f1_difference(a, b, strata=strata)
    assert (result.f1_a, result.f1_b, result.difference) == (0.5, 1.0, 0.5)
    assert result.share_above == 1.0


def test_unequal_sentences_are_refused() -> None:
    """A paired comparison needs pairs."""
    with pytest.raises(ValueError, match="3 with 4 sentences"):
        f1_difference(np.ones((3, 3)), np.ones((4, 3)))

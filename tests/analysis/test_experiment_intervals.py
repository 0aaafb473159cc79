"""F1 over seeds: its mean, and an interval that resamples sentences and seeds together."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.experiment.intervals import mean_difference, mean_f1
from analysis.scores.bootstrap import f1, f1_interval


def counts(seed: int, n: int = 200, right: float = 0.8) -> np.ndarray:
    """Make correct, predicted and gold of n sentences, one tagger's answers."""
    rng = np.random.default_rng(seed)
    gold = np.random.default_rng(0).integers(0, 4, n)  # the same sentences for all
    correct = rng.binomial(gold, right)
    return np.stack([correct, correct + rng.integers(0, 2, n), gold], axis=1)


def test_the_mean_is_over_seeds() -> None:
    """Each seed's F1 is that of its own totals, and the value their mean."""
    seeds = [counts(1), counts(2, right=0.6)]
    found = mean_f1(seeds)
    assert found.by_seed == pytest.approx([float(f1(c.sum(axis=0))) for c in seeds])
    assert found.value == pytest.approx(np.mean(found.by_seed))
    assert (found.n_sentences, found.n_gold) == (200, int(seeds[0][:, 2].sum()))


def test_with_one_seed_only_sentences_are_drawn() -> None:
    """The interval is then the plain bootstrap's."""
    one = counts(1)
    found, plain = mean_f1([one]).interval, f1_interval(one)
    assert found is not None
    assert plain is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high), abs=0.004)


def test_sentences_and_seeds_are_drawn_together() -> None:
    """The interval agrees with a bootstrap written out draw by draw."""
    seeds = [counts(1, right=0.85), counts(2, right=0.7), counts(3, right=0.8)]
    rng = np.random.default_rng(7)
    scores = []
    for _ in range(2000):
        sentences, drawn = rng.integers(200, size=200), rng.integers(3, size=3)
        scores.append(np.mean([f1(seeds[k][sentences].sum(axis=0)) for k in drawn]))
    found = mean_f1(seeds).interval
    assert found is not None
    assert (found.low, found.high) == pytest.approx(tuple(np.quantile(scores, [0.025, 0.975])), abs=0.006)


def test_seeds_that_differ_widen_the_interval() -> None:
    """Twice the same seed says less than it seems: the interval is that of one; two different seeds spread it."""
    alike, apart = mean_f1([counts(1), counts(1)]).interval, mean_f1([counts(1), counts(1, right=0.3)]).interval
    one = mean_f1([counts(1)]).interval
    assert alike is not None
    assert apart is not None
    assert one is not None
    assert (alike.low, alike.high) == pytest.approx((one.low, one.high))
    assert apart.high - apart.low > 3 * (alike.high - alike.low)


def test_a_difference_is_paired() -> None:
    """A tagger differs from itself by nothing; one that is better in the same sentences by a narrow interval."""
    worse = [counts(1, right=0.7), counts(2, right=0.7)]
    same = mean_difference(worse, worse)
    assert (same.value, same.interval.low, same.interval.high) == (0, 0, 0)  # type: ignore[union-attr]
    better = [np.stack([np.minimum(c[:, 0] + (c[:, 2] > 2), c[:, 2]), c[:, 1], c[:, 2]], axis=1) for c in worse]
    found, alone = mean_difference(better, worse), mean_f1(better).interval
    assert found.value is not None
    assert found.interval is not None
    assert alone is not None
    assert 0 < found.interval.low < found.value < found.interval.high
    assert found.interval.high - found.interval.low < alone.high - alone.low


def test_other_sentences_cannot_be_paired() -> None:
    """Sides of different length or number of seeds are a mistake of the caller."""
    with pytest.raises(ValueError, match="same seeds and sentences"):
        mean_difference([counts(1)], [counts(1)[:10]])
    with pytest.raises(ValueError, match="same seeds and sentences"):
        mean_difference([counts(1)], [counts(1), counts(2)])


def test_too_little_to_count_has_no_interval() -> None:
    """Nine sentences with names give a value and no interval; none gives neither."""
    few = np.array([[1, 1, 1]] * 9 + [[0, 0, 0]] * 20)
    assert mean_f1([few]).value == 1
    assert mean_f1([few]).interval is None
    nothing = mean_f1([np.zeros((5, 3), dtype=int)])
    assert (nothing.value, nothing.by_seed, nothing.interval) == (None, (None,), None)

"""A collapsed training is told from a sound one by numbers that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.experiment.collapse import dominating_share, nt_xent, space_of, verdicts

N, D = 256, 16
IDS = [f"photo-{i}" for i in range(N)]


def cloud(seed: int, n: int = N) -> np.ndarray:
    """Draw directions evenly."""
    return np.random.default_rng(seed).normal(size=(n, D))


def test_the_dominating_share_is_one_on_a_line_and_one_in_d_in_a_ball() -> None:
    """Opposite vectors lie on one line; the axes fill the space evenly; length does not matter."""
    line = np.outer([1.0, -2.0, 5.0], np.arange(1, D + 1))
    assert dominating_share(line) == pytest.approx(1)
    assert dominating_share(3 * np.eye(D)) == pytest.approx(1 / D)


def test_guessing_costs_the_logarithm_of_the_candidates() -> None:
    """With all vectors alike, NT-Xent is log(2n - 1) for n = 64 pairs; less where pairs share a photo."""
    same = np.ones((N, D))
    loss, guessing = nt_xent(same, same, IDS, 0.07)
    assert loss == pytest.approx(np.log(127), abs=1e-4)
    assert guessing == pytest.approx(np.log(127))
    loss, guessing = nt_xent(same, same, ["one photo"] * N, 0.07)
    assert (loss, guessing) == pytest.approx((0, 0), abs=1e-6)  # nothing but the partner is left to choose


def test_a_sound_space_has_no_verdict() -> None:
    """Partners near each other, spread over the sphere, F1 well above 0."""
    text = cloud(1)
    space = space_of(text, text + 0.3 * cloud(2), IDS, 0.1)
    assert space.separation > 0.99
    assert space.loss < 0.5 * space.guessing
    assert verdicts(0.8, space) == []
    assert verdicts(0.8, None) == []


def test_one_point_is_a_collapse() -> None:
    """All texts at one point are named, and so is the loss that is stuck at guessing."""
    point = np.ones((N, D)) + 1e-3 * cloud(1)
    said = verdicts(0.8, space_of(point, cloud(2), IDS, 0.1))
    assert said[0].startswith(
        "the texts collapsed to one point (dominating share 1.00, uniformity \N{HYPHEN-MINUS}0.00"
    )
    assert not any("photos collapsed" in sentence for sentence in said)
    assert any(sentence.startswith("the contrastive loss is stuck at guessing") for sentence in said)


def test_vectors_that_never_met_are_not_aligned() -> None:
    """Spread but unrelated: no collapse to a point, separation at chance."""
    said = verdicts(0.8, space_of(cloud(1), cloud(2), IDS, 0.5))
    assert any(sentence.startswith("texts and photos were not aligned (separation 0.") for sentence in said)
    assert not any("one point" in sentence for sentence in said)


@pytest.mark.parametrize("f1", [0.0, None, 0.009])
def test_a_tagger_that_finds_nothing_collapsed(f1: float | None) -> None:
    """F1 of zero, or none at all, is said whatever the space is like."""
    assert verdicts(f1, None) == [f"the tagger collapsed: it finds no names (F1 {100 * (f1 or 0):.1f})"]

"""Geometry of the contrastive space: closed forms and loops."""

import numpy as np
import pytest

from analysis.space.geometry import alignment, modality_gap, uniformity


def sphere(n: int, seed: int, offset: float = 0.0) -> np.ndarray:
    """Draw n unit vectors in 5 dimensions, drawn towards the first axis by ``offset``."""
    vectors = np.random.default_rng(seed).normal(size=(n, 5))
    vectors[:, 0] += offset
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def test_values_equal_loops() -> None:
    """Gap, alignment and uniformity are what their formulas say, written out pair by pair."""
    text, image = sphere(30, 0), sphere(30, 1, offset=2)
    assert modality_gap(text, image).value == pytest.approx(np.linalg.norm(image.mean(0) - text.mean(0)))
    by_hand = np.mean([np.linalg.norm(t - i) ** 2 for t, i in zip(text, image, strict=True)])
    assert alignment(text, image).value == pytest.approx(by_hand)
    kernel = [np.exp(-2 * np.linalg.norm(text[i] - text[j]) ** 2) for i in range(30) for j in range(i)]
    assert uniformity(text).value == pytest.approx(np.log(np.mean(kernel)))


def test_extremes() -> None:
    """Equal modalities have no gap and distance 0; opposite points have gap 2 and distance 4."""
    text = sphere(12, 0)
    assert modality_gap(text, text).value == 0
    assert alignment(text, text).value == 0
    pole = np.tile([[1.0, 0.0]], (12, 1))
    assert modality_gap(pole, -pole).value == pytest.approx(2)
    assert alignment(pole, -pole).value == pytest.approx(4)
    assert uniformity(pole).value == pytest.approx(0)


@pytest.mark.slow
@pytest.mark.parametrize("statistic", ["gap", "uniformity"])
def test_first_order_intervals_have_the_spread_of_repeated_samples(statistic: str) -> None:
    """The interval's width is that of the statistic over 300 fresh samples, within a quarter."""

    def estimate(seed: int):  # noqa: ANN202
        text, image = sphere(80, seed, offset=1), sphere(80, seed + 5000, offset=-1)
        return modality_gap(text, image) if statistic == "gap" else uniformity(text)

    values = [estimate(seed).value for seed in range(300)]
    widths = [i.high - i.low for seed in range(10) if (i := estimate(seed).interval)]
    low, high = np.quantile(np.array(values, dtype=float), [0.025, 0.975])
    assert np.mean(widths) == pytest.approx(high - low, rel=0.25)


def test_too_few_vectors() -> None:
    """No pair, no number."""
    assert modality_gap(np.empty((0, 3)), np.empty((0, 3))).value is None
    assert uniformity(np.ones((1, 3))).value is None

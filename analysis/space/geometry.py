"""Shape of the contrastive space: modality gap, alignment, uniformity, each with n and an interval.

Each is expressed as a mean of one number per item (exactly, or to first order for the two that are not means), so that
one bootstrap over items serves all.
"""

from __future__ import annotations

import numpy as np

from analysis.scores.estimate import Estimate, mean_estimate

UNIFORMITY_T = 2.0
_ROWS_PER_CHUNK = 512


def modality_gap(text: np.ndarray, image: np.ndarray, *, seed: int = 0) -> Estimate:
    """Return the length of the difference of the mean image and the mean text vector (Liang et al., NeurIPS 2022).

    It equals the mean over pairs of (image - text) projected on the direction of the gap; the interval resamples
    these projections (first order: it holds the direction fixed, which avoids the upward bias of a resampled norm).

    Args:
        text: [N, D] unit vectors.
        image: [N, D] unit vectors, row by row the partner.
        seed: of the bootstrap.
    """
    if not len(text):
        return mean_estimate(np.empty(0))
    difference = np.asarray(image, dtype=float) - text
    gap = difference.mean(axis=0)
    length = np.linalg.norm(gap)
    return mean_estimate(difference @ (gap / length) if length > 0 else np.zeros(len(text)), seed=seed)


def alignment(text: np.ndarray, image: np.ndarray, *, seed: int = 0) -> Estimate:
    """Return the mean squared distance of partners, 0 (same place) to 4 (opposite) (Wang & Isola, ICML 2020, eq. 5).

    Args:
        text: [N, D] unit vectors.
        image: [N, D] unit vectors, row by row the partner.
        seed: of the bootstrap.
    """
    return mean_estimate(((np.asarray(image, dtype=float) - text) ** 2).sum(axis=-1), seed=seed)


def uniformity(vectors: np.ndarray, *, seed: int = 0) -> Estimate:
    """Return log mean exp(-2 squared distance) over distinct pairs (Wang & Isola, ICML 2020, eq. 6).

    0 means that all vectors are one point; more negative is more evenly spread. The interval is first order: an
    item's influence on a mean over pairs is twice the deviation of its own mean (Hoeffding 1948).

    Args:
        vectors: [N, D] unit vectors of one modality, without repetition.
        seed: of the bootstrap.
    """
    n = len(vectors)
    if n < 2:
        return mean_estimate(np.empty(0))
    own = np.empty(n)
    for start in range(0, n, _ROWS_PER_CHUNK):
        rows = vectors[start : start + _ROWS_PER_CHUNK]
        # On the unit sphere the squared distance is 2 - 2 cosine; rounding may push a cosine past 1.
        kernel = np.exp(-UNIFORMITY_T * (2 - 2 * np.minimum(rows @ vectors.T, 1)))
        kernel[np.arange(len(rows)), start + np.arange(len(rows))] = 0
        own[start : start + _ROWS_PER_CHUNK] = kernel.sum(axis=1) / (n - 1)
    influence = own.mean() + 2 * (own - own.mean())
    return mean_estimate(influence, transform=lambda mean: np.log(np.maximum(mean, np.finfo(float).tiny)), seed=seed)

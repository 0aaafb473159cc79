"""F1 over several seeds, and differences of it, with an interval over sentences and seeds.

In each of the resamples the S test sentences are drawn with replacement, the same draw for every seed and both sides
of a difference, since all answer the same sentences; and the K seeds are drawn with replacement, the same draw for both
sides. The score of a resample is the mean over the drawn seeds of F1 on the drawn sentences; the interval runs between
the percentiles of these scores. With one seed, only sentences are drawn. Two or three seeds say little about the spread
over all seeds, so each seed's own F1 stands beside the interval.

Shapes: R resamples, K seeds, S sentences.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from analysis.scores.bootstrap import (
    MIN_SENTENCES,
    RESAMPLES,
    Interval,
    defined,
    f1,
    informative,
    percentile_interval,
    resample_totals,
)

WHAT_IS_RESAMPLED = (
    "Intervals are 95 % percentile intervals of 2,000 bootstrap resamples: each draws the test sentences with "
    "replacement (the same draw for all seeds and for both sides of a difference) and the seeds with replacement, and "
    "averages F1 over the drawn seeds. Two seeds say little about all seeds there are, so every seed's own F1 is in "
    "the Parquet and JSON tables."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeedScore:
    """A number over seeds.

    Attributes:
        value: mean over the seeds; None where a seed has no entity to count.
        by_seed: each seed's own.
        interval: over sentences and seeds; None below ``MIN_SENTENCES`` sentences with an entity.
        n_sentences: S.
        n_gold: gold entities in them.
    """

    value: float | None
    by_seed: tuple[float | None, ...]
    interval: Interval | None
    n_sentences: int
    n_gold: int

    def to_row(self, quantity: str = "f1") -> dict[str, object]:
        """Return the columns value (named after the quantity), low, high, by_seed, n_sentences and n_gold."""
        return {
            quantity: self.value,
            "low": self.interval.low if self.interval else None,
            "high": self.interval.high if self.interval else None,
            "by_seed": list(self.by_seed),
            "n_sentences": self.n_sentences,
            "n_gold": self.n_gold,
        }


def mean_f1(counts: Sequence[np.ndarray], *, resamples: int = RESAMPLES, seed: int = 0) -> SeedScore:
    """Return F1 averaged over seeds.

    Args:
        counts: per seed [S, 3] correct, predicted, gold per sentence.
        resamples: R.
        seed: of the bootstrap.
    """
    return _score(counts, None, resamples, seed)


def mean_difference(
    counts: Sequence[np.ndarray], reference: Sequence[np.ndarray], *, resamples: int = RESAMPLES, seed: int = 0
) -> SeedScore:
    """Return F1 minus the reference's F1, averaged over seeds; both sides answered the same sentences.

    Args:
        counts: per seed [S, 3] correct, predicted, gold per sentence.
        reference: the same of the other side, seed by seed.
        resamples: R.
        seed: of the bootstrap.

    Raises:
        ValueError: if the two sides differ in seeds or sentences.
    """
    if [len(c) for c in counts] != [len(c) for c in reference]:
        raise ValueError("A paired difference takes the same seeds and sentences on both sides.")
    return _score(counts, reference, resamples, seed)


def _score(
    counts: Sequence[np.ndarray], reference: Sequence[np.ndarray] | None, resamples: int, seed: int
) -> SeedScore:
    sides = [counts] if reference is None else [counts, reference]
    own = [np.array([f1(c.sum(axis=0)) for c in side]) for side in sides]
    by_seed = own[0] if reference is None else own[0] - own[1]
    return SeedScore(
        value=defined(by_seed.mean()),
        by_seed=tuple(map(defined, by_seed)),
        interval=_interval(sides, resamples, seed),
        n_sentences=len(counts[0]),
        n_gold=int(counts[0][:, 2].sum()),
    )


def _interval(sides: Sequence[Sequence[np.ndarray]], resamples: int, seed: int) -> Interval | None:
    columns = np.concatenate([c for side in sides for c in side], axis=1)  # [S, 3 K or 6 K]
    if informative(columns) < MIN_SENTENCES:
        return None
    n_seeds = len(sides[0])
    totals = resample_totals(columns, resamples=resamples, seed=seed).reshape(resamples, len(sides), n_seeds, 3)
    scores = f1(totals)  # [R, sides, K]
    per_seed = scores[:, 0] if len(sides) == 1 else scores[:, 0] - scores[:, 1]  # [R, K]
    drawn = np.random.default_rng([seed, n_seeds]).integers(n_seeds, size=(resamples, n_seeds))
    return percentile_interval(np.take_along_axis(per_seed, drawn, axis=1).mean(axis=1))

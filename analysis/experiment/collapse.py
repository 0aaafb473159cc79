"""Detects collapsed trainings: a tagger that finds nothing, or a contrastive space in which all vectors are one.

The contrastive space of N test pairs is judged by four numbers:

- *separation*: how often a matched pair is closer than a mismatched one (0.5: never learnt);
- *uniformity* of texts and of photos (Wang and Isola, ICML 2020): 0 when all vectors are one point;
- the *dominating share*: the largest eigenvalue of the second-moment matrix of unit vectors, whose eigenvalues sum
  to 1; 1 when all vectors lie on one line through the origin, 1 / D when they fill the space evenly;
- NT-Xent itself beside what guessing costs, the logarithm of the number of candidates (2n - 1 in a batch of n pairs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

BATCH = 64
"""Pairs per batch when NT-Xent is measured, as many as a batch of training has at most."""
ONE_POINT_SHARE = 0.95
ONE_POINT_UNIFORMITY = -0.1
NO_SEPARATION = 0.55
STUCK = 0.98
"""Of the cost of guessing."""
NOTHING_FOUND = 0.01
"""F1 below this is no tagger."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The contrastive space of one model on the test pairs; see the module.

    Attributes:
        n: pairs.
        loss, guessing: NT-Xent in batches of ``BATCH`` pairs, nats, and what guessing costs there.
        others: as in the module.
    """

    n: int
    separation: float
    uniformity_text: float
    uniformity_image: float
    dominating_text: float
    dominating_image: float
    loss: float
    guessing: float


def dominating_share(vectors: np.ndarray) -> float:
    """Return the largest eigenvalue of the second-moment matrix of unit vectors, 1 / D to 1.

    Args:
        vectors: [N, D] of any length; they are normalised here.
    """
    vectors = np.asarray(vectors, dtype=float)
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), np.finfo(float).tiny)
    eigenvalues = np.linalg.eigvalsh(unit.T @ unit)
    return float(eigenvalues[-1] / eigenvalues.sum())


def nt_xent(
    text: np.ndarray, image: np.ndarray, image_ids: Sequence[str], temperature: float, *, seed: int = 0
) -> tuple[float, float]:
    """Return NT-Xent over shuffled batches of the pairs, and its value for guessing, in nats.

    Args:
        text: [N, D].
        image: [N, D], row by row the partner.
        image_ids: [N]; pairs of one photo are not pushed apart.
        temperature: of the model.
        seed: of the order.
    """
    import torch

    from mmner_core.config import AlignmentConfig
    from mmner_core.network.alignment import NTXent

    criterion = NTXent(AlignmentConfig(streams=(), temperature=temperature))
    _, numbers = np.unique(np.asarray(image_ids, dtype=object).astype(str), return_inverse=True)
    order = np.random.default_rng(seed).permutation(len(text))
    losses, costs = [], []
    for start in range(0, len(order) - BATCH + 1, BATCH) if len(order) >= BATCH else [0]:
        rows = order[start : start + BATCH]
        parts = (torch.from_numpy(np.asarray(side[rows], dtype=np.float32)) for side in (text, image))
        losses.append(float(criterion(*parts, torch.from_numpy(numbers[rows]))))
        shared = np.array([(numbers[rows] == number).sum() for number in numbers[rows]])
        costs.append(float(np.log(2 * len(rows) - 2 * shared + 1).mean()))
    return float(np.mean(losses)), float(np.mean(costs))


def verdicts(f1: float | None, space: Space | None) -> list[str]:
    """Return a sentence on each way in which a model collapsed; none where it did not.

    Args:
        f1: on test, 0 to 1; None where there is no entity.
        space: None for a model without contrastive loss.
    """
    found = []
    if f1 is None or f1 < NOTHING_FOUND:
        found.append(f"the tagger collapsed: it finds no names (F1 {100 * (f1 or 0):.1f})")
    if space is None:
        return found
    sides: Mapping[str, tuple[float, float]] = {
        "texts": (space.dominating_text, space.uniformity_text),
        "photos": (space.dominating_image, space.uniformity_image),
    }
    for name, (share, uniformity) in sides.items():
        if share > ONE_POINT_SHARE or uniformity > ONE_POINT_UNIFORMITY:
            found.append(
                f"the {name} collapsed to one point (dominating share {share:.2f}, uniformity {uniformity:.2f})"
            )
    if space.separation < NO_SEPARATION:
        found.append(f"texts and photos were not aligned (separation {space.separation:.2f}, chance 0.50)")
    if space.loss > STUCK * space.guessing:
        found.append(f"the contrastive loss is stuck at guessing ({space.loss:.2f} of {space.guessing:.2f} nats)")
    return found


def measure_space(run: EvaluationRun, temperature: float | None) -> Space | None:
    """Measure the contrastive space of a run folder; None where the run has no vectors of it.

    Args:
        run: with the condition "matched".
        temperature: of its model.
    """
    from analysis.evaluation.plan import MATCHED
    from analysis.run.vectors import IMAGE, image_streams, main_stream

    streams = image_streams(run.embedding_names())
    if temperature is None or not streams or MATCHED not in run.conditions:
        return None
    rows = np.flatnonzero(run.embedding("has_image"))
    if len(rows) < 2:
        return None
    text, image = (run.embedding(n)[rows].astype(float) for n in ("text", IMAGE + main_stream(streams)))
    ids = run.answers(MATCHED).sentences.set_index("sentence_id").loc[run.embedding("sentence_id")[rows], "image_id"]
    return space_of(text, image, ids.tolist(), temperature)


def space_of(text: np.ndarray, image: np.ndarray, image_ids: Sequence[str], temperature: float) -> Space:
    """Measure N pairs of vectors.

    Args:
        text: [N, D] finite.
        image: [N, D] finite, row by row the partner.
        image_ids: [N]; equal ids are one photo.
        temperature: of the model.
    """
    from analysis.space.geometry import uniformity
    from analysis.space.retrieval import cosine_distributions, pair_vectors

    pairs = pair_vectors(text, image, list(image_ids))
    loss, guessing = nt_xent(text, image, image_ids, temperature)
    return Space(
        n=len(text),
        separation=cosine_distributions(pairs).separation.value or 0.0,
        uniformity_text=uniformity(np.unique(pairs.text, axis=0)).value or 0.0,
        uniformity_image=uniformity(pairs.image).value or 0.0,
        dominating_text=dominating_share(pairs.text),
        dominating_image=dominating_share(pairs.image),
        loss=loss,
        guessing=guessing,
    )

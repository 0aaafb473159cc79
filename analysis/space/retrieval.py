"""Retrieval in the contrastive space: does a text find its image, and how far apart are the two?

All vectors are L2-normalised here. Texts are rows; several may share one image, which then is one item of the image
gallery and counts as found by any of its texts. Sizes: N texts, M distinct images, D width.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from analysis.run.pair_facts import PairFacts
from analysis.scores.estimate import Estimate, mean_estimate
from analysis.scores.guessing import Guess
from mmner_core.errors import InputError

RECALL_AT = (1, 5, 10)
_ROWS_PER_CHUNK = 512
_IMAGE_TOLERANCE = 1e-2  # of the same photo encoded in two batches, bf16 included


@dataclass(frozen=True, slots=True, kw_only=True)
class PairedVectors:
    """Texts and the distinct images they belong to.

    Attributes:
        text: [N, D] unit vectors.
        image: [M, D] unit vectors, one per distinct image.
        image_of: [N] index of each text's image.
    """

    text: np.ndarray
    image: np.ndarray
    image_of: np.ndarray

    def of_images(self) -> np.ndarray:
        """Return the image vector of each text, [N, D]."""
        return self.image[self.image_of]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recall:
    """Recall@k in one direction.

    Attributes:
        direction: "text_to_image" or "image_to_text".
        k: how many of the best are looked at.
        recall: share of queries whose partner is among them, with interval over the queries (the gallery is fixed).
        gallery: how many items were ranked.
        chance: the recall of a random ranking, 0 to 1.
        type_alone: the recall of a ranking that knows of a query the type alone, that of a text's only name or of a
            photo's texts; where a query has none it guesses blindly. None where no query has one.
    """

    direction: str
    k: int
    recall: Estimate
    gallery: int
    chance: float | None
    type_alone: float | None


class Ranks(NamedTuple):
    """The number of items ranked before the partner of each text [N], and before the best partner of each image [M]."""

    text: np.ndarray
    image: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class CosineDistributions:
    """Cosines of texts with their own image and with others.

    Attributes:
        matched: [N] with the own image.
        mismatched: [N, R] with R other images drawn at random; [N, 0] where there is no other.
        separation: probability that a text is closer to its own image than to a random other one (0.5: chance).
    """

    matched: np.ndarray
    mismatched: np.ndarray
    separation: Estimate

    def matched_mean(self, *, seed: int = 0) -> Estimate:
        """Return the mean cosine with the own image."""
        return mean_estimate(self.matched, seed=seed)

    def mismatched_mean(self, *, seed: int = 0) -> Estimate:
        """Return the mean cosine with other images; n counts texts, the images drawn for one are not independent."""
        return mean_estimate(self.mismatched.mean(axis=1) if self.mismatched.size else np.empty(0), seed=seed)


def pair_vectors(text: np.ndarray, image: np.ndarray, image_ids: Sequence[str]) -> PairedVectors:
    """Normalise text [N, D] and image [N, D] vectors row by row and find the distinct images by their ids.

    Raises:
        InputError: if the lengths differ, a vector is zero or not finite, or one image id has different vectors.
    """
    if not len(text) == len(image) == len(image_ids):
        raise InputError(f"{len(text)} text vectors, {len(image)} image vectors, {len(image_ids)} image ids: differ.")
    text, image = unit_rows(text, "text"), unit_rows(image, "image")
    first: dict[str, int] = {}
    for i, image_id in enumerate(image_ids):
        first.setdefault(image_id, i)
    number = {image_id: m for m, image_id in enumerate(first)}
    image_of = np.array([number[image_id] for image_id in image_ids], dtype=int)
    distinct = image[list(first.values())]
    far = np.flatnonzero(np.einsum("nd,nd->n", image, distinct[image_of]) < 1 - _IMAGE_TOLERANCE)
    if len(far):
        raise InputError(f"Image {image_ids[far[0]]!r} has two different vectors; an image id must mean one image.")
    return PairedVectors(text=text, image=distinct, image_of=image_of)


def unit_rows(vectors: np.ndarray, name: str) -> np.ndarray:
    """Return the rows in float32 with length 1.

    Raises:
        InputError: if a row is zero or not finite.
    """
    vectors = np.asarray(vectors, dtype=np.float32)
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    bad = np.flatnonzero(~(np.isfinite(lengths) & (lengths > 0)))
    if len(bad):
        raise InputError(f"The {name} vector of row {bad[0]} is zero or not finite, so it has no direction.")
    return vectors / lengths


def recalls(
    pairs: PairedVectors,
    ks: Sequence[int] = RECALL_AT,
    *,
    facts: PairFacts | None = None,
    asked: np.ndarray | None = None,
    ranks: Ranks | None = None,
    seed: int = 0,
) -> list[Recall]:
    """Return recall@k in both directions.

    Text to image: each of the N texts ranks the M images. Image to text: each of the M images ranks the N texts, and
    any text of that image counts. Ties count against: a space collapsed to one point recalls nothing.

    Args:
        pairs: the vectors.
        ks: at which k.
        facts: of the N pairs, for what the type alone reaches.
        asked: [N] bool, the texts that query; an image does where all of its texts are among them. Ranked are all texts
            and images nevertheless. None: every one queries.
        ranks: what :func:`partner_ranks` returned, where it is known already.
        seed: of the bootstrap.
    """
    n, m = len(pairs.text), len(pairs.image)
    facts = facts or PairFacts.unknown(n)
    asked = np.ones(n, dtype=bool) if asked is None else asked
    ranks = ranks or partner_ranks(pairs)
    photo_types = facts.photo_type[np.unique(pairs.image_of, return_index=True)[1]]
    texts, image_of = np.arange(n), pairs.image_of
    to_image = Guess.among(texts, image_of, facts.text_type, photo_types)
    to_text = Guess.among(image_of, texts, photo_types, facts.text_type)
    images_asked = np.bincount(image_of[~asked], minlength=m) == 0
    directions = (
        ("text_to_image", ranks.text[asked], to_image, asked, facts.text_type),
        ("image_to_text", ranks.image[images_asked], to_text, images_asked, photo_types),
    )
    return [
        Recall(
            direction=name,
            k=k,
            recall=mean_estimate(of_queries < k, seed=seed),
            gallery=guess.gallery,
            chance=float(guess.chance(k)[queries].mean()) if len(of_queries) else None,
            type_alone=float(guess.type_alone(k)[queries].mean()) if (types[queries] != "").any() else None,
        )
        for name, of_queries, guess, queries, types in directions
        for k in ks
    ]


def partner_ranks(pairs: PairedVectors) -> Ranks:
    """Count the items ranked before each text's image, and before the best text of each image."""
    n, m = len(pairs.text), len(pairs.image)
    # One set of products serves both directions: two that round differently would make ties come and go.
    best = np.full(m, -np.inf, dtype=np.float32)
    text_ranks = np.empty(n, dtype=int)
    for rows, cosine in _cosine_blocks(pairs):
        own = cosine[np.arange(len(cosine)), pairs.image_of[rows]]
        text_ranks[rows] = (cosine >= own[:, None]).sum(axis=1) - 1
        np.maximum.at(best, pairs.image_of[rows], own)
    image_ranks = np.zeros(m, dtype=int)
    for rows, cosine in _cosine_blocks(pairs):
        foreign = pairs.image_of[rows][:, None] != np.arange(m)
        image_ranks += ((cosine >= best) & foreign).sum(axis=0)
    return Ranks(text_ranks, image_ranks)


def _cosine_blocks(pairs: PairedVectors) -> Iterator[tuple[slice, np.ndarray]]:
    for start in range(0, len(pairs.text), _ROWS_PER_CHUNK):
        rows = slice(start, start + _ROWS_PER_CHUNK)
        yield rows, pairs.text[rows] @ pairs.image.T


def cosine_distributions(pairs: PairedVectors, *, draws: int = 20, seed: int = 0) -> CosineDistributions:
    """Return the cosines of texts with their own image and with ``draws`` random other images each."""
    n, m = len(pairs.text), len(pairs.image)
    matched = np.einsum("nd,nd->n", pairs.text, pairs.of_images())
    if m < 2:
        return CosineDistributions(matched=matched, mismatched=np.empty((n, 0)), separation=mean_estimate(np.empty(0)))
    others = np.random.default_rng(seed).integers(m - 1, size=(n, draws))
    others += others >= pairs.image_of[:, None]  # skip the own image
    mismatched = np.stack([np.einsum("nd,nd->n", pairs.text, pairs.image[column]) for column in others.T], axis=1)
    wins = (matched[:, None] > mismatched) + 0.5 * (matched[:, None] == mismatched)
    return CosineDistributions(
        matched=matched, mismatched=mismatched, separation=mean_estimate(wins.mean(axis=1), seed=seed)
    )

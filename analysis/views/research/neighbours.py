"""What lies near a sentence or its photo in the contrastive space, right answers and wrong ones apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from analysis.scores.matching import CORRECT, match
from analysis.space.retrieval import unit_rows
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

_SAME_PHOTO = 1 - 1e-3  # cosine above which two photos are one, half precision allowed for


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """A sentence near another: its id, the cosine of the two texts or photos, and whether the model was right on it."""

    sentence_id: int
    cosine: float
    right: bool


def neighbours(
    run: EvaluationRun, sentence_id: int, side: str, *, each: int = 3
) -> tuple[list[Neighbour], list[Neighbour]]:
    """Return the nearest sentences without and with an error, nearest first.

    Sentences without any entity are neither right nor wrong in a way that tells something, and stay out.

    Args:
        run: with vectors.
        sentence_id: whose neighbours.
        side: "text" compares texts; "image" photos, of the same photo one sentence only and never its own.
        each: how many of either.

    Raises:
        InputError: if the run has no vectors of that side, or not of that sentence.
    """
    ids, vectors = unit_vectors(run, side)
    place = np.searchsorted(ids, sentence_id)
    if place == len(ids) or ids[place] != sentence_id:
        raise InputError("This sentence has no photo." if side == "image" else "This sentence has no vector.")
    cosine = vectors @ vectors[place]
    right = right_sentences(run)
    found: dict[bool, list[Neighbour]] = {True: [], False: []}
    photos: list[int] = [int(place)]
    for i in np.argsort(-cosine, kind="stable").tolist():
        sentence = int(ids[i])
        if sentence == sentence_id or sentence not in right or len(found[right[sentence]]) == each:
            continue
        if side == "image":
            if (vectors[photos] @ vectors[i]).max() > _SAME_PHOTO:
                continue
            photos.append(i)
        found[right[sentence]].append(Neighbour(sentence_id=sentence, cosine=float(cosine[i]), right=right[sentence]))
        if all(len(some) == each for some in found.values()):
            break
    return found[True], found[False]


def right_sentences(run: EvaluationRun) -> dict[int, bool]:
    """Say of each sentence with an entity whether all of them are right, found once per run."""

    def compute() -> dict[int, bool]:
        answers = run.answers()
        matches = match(answers.gold, answers.predicted)
        ids = answers.sentences["sentence_id"].to_numpy()
        right = dict.fromkeys(ids[np.unique(matches.sentence)].tolist(), True)
        return right | dict.fromkeys(ids[np.unique(matches.sentence[matches.kind != CORRECT])].tolist(), False)

    return run.remember("right sentences", compute)


def own_cosine(run: EvaluationRun, sentence_id: int) -> float | None:
    """Return the cosine of a sentence with its photo, None without."""
    answers = run.answers()
    ids = answers.sentences["sentence_id"].to_numpy()
    place = np.searchsorted(ids, sentence_id)
    if answers.cosine is None or place == len(ids) or ids[place] != sentence_id:
        return None
    return None if np.isnan(answers.cosine[place]) else float(answers.cosine[place])


def unit_vectors(run: EvaluationRun, side: str) -> tuple[np.ndarray, np.ndarray]:
    """Return sentence ids [N], ascending, and unit vectors [N, D] of one side, found once per run.

    Args:
        run: with vectors.
        side: "text", or "image": of the main stream, of the sentences that have a photo.

    Raises:
        InputError: if the run has no vectors of that side.
    """
    from analysis.run.vectors import IMAGE, image_streams, main_stream  # imports torch

    def compute() -> tuple[np.ndarray, np.ndarray]:
        ids = run.embedding("sentence_id")
        if side == "text":
            return ids, unit_rows(run.embedding("text"), "text")
        has = run.embedding("has_image") > 0
        stream = main_stream(image_streams(run.embedding_names()))
        return ids[has], unit_rows(run.embedding(IMAGE + stream)[has], "image")

    return run.remember(("unit vectors", side), compute)

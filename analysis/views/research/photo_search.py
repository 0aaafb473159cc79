"""The photos of a run that lie nearest to a text in the contrastive space."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.views.research.neighbours import unit_vectors
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundPhoto:
    """A photo near a text.

    Attributes:
        path: its file, as the run names it.
        cosine: of text and photo, -1 to 1.
        sentences: ids of the sentences that it belongs to, at least one.
    """

    path: str
    cosine: float
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PhotoVectors:
    """The photos of a run, one row for each sentence that has one: N of them.

    Attributes:
        sentences: [N] rows of ``sentence_id``, ``language``, ``image_id`` and ``image_path``.
        vectors: [N, D] unit length, in the contrastive space.
    """

    sentences: pd.DataFrame
    vectors: np.ndarray

    @classmethod
    def of(cls, run: EvaluationRun) -> PhotoVectors:
        """Read them.

        Raises:
            InputError: if the run has no vectors of photos.
        """
        ids, vectors = unit_vectors(run, "image")
        sentences = run.answers().sentences
        places = pd.Index(sentences["sentence_id"]).get_indexer(pd.Index(ids))
        columns = ["sentence_id", "language", "image_id", "image_path"]
        return cls(
            sentences=sentences.iloc[places[places >= 0]][columns].reset_index(drop=True), vectors=vectors[places >= 0]
        )

    def nearest(self, text: np.ndarray, language: str = "", *, most: int) -> tuple[list[FoundPhoto], int]:
        """Return the photos nearest to a text, nearest first, and among how many they are.

        Args:
            text: [D] unit length.
            language: of the sentences whose photos are looked at, "" for all.
            most: how many photos to return.

        Raises:
            InputError: if the text's vector has another width.
        """
        if self.vectors.shape[1:] != text.shape:
            raise InputError("The run's photos have vectors of another width than the loaded model's; write it anew.")
        found = self.sentences.assign(cosine=self.vectors @ text)
        if language:
            found = found[found["language"] == language]
        # The same photo differs by a rounding from sentence to sentence.
        photos = found.groupby("image_id", sort=False).agg(
            path=("image_path", "first"), cosine=("cosine", "max"), sentences=("sentence_id", tuple)
        )
        best = photos.sort_values("cosine", ascending=False, kind="stable").head(most)
        rows = zip(best["path"], best["cosine"].tolist(), best["sentences"], strict=True)
        return [FoundPhoto(path=path, cosine=cosine, sentences=ids) for path, cosine, ids in rows], len(photos)

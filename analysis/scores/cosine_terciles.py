"""Divides sentences into thirds by image-text cosine: the one definition, for slices and for the image's effect."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from analysis.run.answers import Answers

TERCILES = ("low", "middle", "high")


def cosine_terciles(answers: Answers) -> np.ndarray:
    """Name each sentence's third by image-text cosine within its language, [S]; "" without a cosine.

    Within the language, because cosines of two languages need not be comparable and the thirds would else differ in
    their mix of languages. The thirds are of equal size but for equal cosines, which share one.
    """
    if answers.cosine is None:
        return np.full(len(answers), "", dtype=object)
    of_language = pd.Series(answers.cosine).groupby(answers.languages)
    thirds = (of_language.rank() - 1) * 3 // of_language.transform("count")
    return np.array([*TERCILES, ""], dtype=object)[thirds.fillna(len(TERCILES)).to_numpy(dtype=np.int64)]

"""Facts about pairs of text and image besides their vectors: types, whether they fit, whether training has them.

Sizes: N pairs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.run.evaluation_set import IRRELEVANT
from analysis.run.lexicon import NEVER

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.lexicon import Lexicon

SEEN, UNSEEN = "seen", "unseen"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PairFacts:
    """Facts of N pairs; "" stands for what is not known.

    Attributes:
        text_type: [N] type of the text's only gold name; "" for a text with none or several.
        photo_type: [N] type that the only names of the photo's texts have, those of irrelevant pairs left out; "" where
            there is none, or they differ.
        relevant: [N] bool; False where the data say that the photo shows nothing of what the text names.
        seen: [N] "seen" where training has all names of the text, whatever their type; "unseen" where it has none.
    """

    text_type: np.ndarray
    photo_type: np.ndarray
    relevant: np.ndarray
    seen: np.ndarray

    @classmethod
    def unknown(cls, n: int) -> PairFacts:
        """Return the facts of pairs about which nothing is known."""
        blank = np.full(n, "", dtype=object)
        return cls(text_type=blank, photo_type=blank, relevant=np.ones(n, dtype=bool), seen=blank)

    @classmethod
    def of(cls, answers: Answers, lexicon: Lexicon | None = None) -> PairFacts:
        """Read the facts of all sentences, N of them.

        Args:
            answers: with gold names, photos and, where the data have them, kinds of pairs.
            lexicon: training names; without them nobody knows which names are new.
        """
        gold, n = answers.gold, len(answers)
        only = np.bincount(gold.sentence, minlength=n)[gold.sentence] == 1
        text_type = np.full(n, "", dtype=object)
        text_type[gold.sentence[only]] = gold.type_names()[only]
        relevant = (answers.sentences["kind"] != IRRELEVANT).to_numpy(dtype=bool)
        photos = answers.sentences["image_id"].to_numpy(dtype=object)
        return cls(
            text_type=text_type,
            photo_type=_common(np.where(relevant, text_type, ""), photos),
            relevant=relevant,
            seen=_seen(answers, lexicon),
        )

    def take(self, rows: np.ndarray) -> PairFacts:
        """Keep the pairs that ``rows`` (a mask or row numbers) names, in that order."""
        return PairFacts(
            text_type=self.text_type[rows],
            photo_type=self.photo_type[rows],
            relevant=self.relevant[rows],
            seen=self.seen[rows],
        )


def _common(types: np.ndarray, photos: np.ndarray) -> np.ndarray:
    """Return [N] the one type of each photo's rows, "" aside; "" where there are several or none."""
    known = types != ""
    of_photo = pd.DataFrame({"photo": photos[known], "type": types[known]}).drop_duplicates().groupby("photo")["type"]
    one = of_photo.first()[of_photo.size() == 1].to_dict()
    return np.array([one.get(photo, "") for photo in photos.tolist()], dtype=object)


def _seen(answers: Answers, lexicon: Lexicon | None) -> np.ndarray:
    found = np.full(len(answers), "", dtype=object)
    if lexicon is None:
        return found
    gold = answers.gold
    met = lexicon.seen(gold.texts(answers.words), gold.type_names()) != NEVER
    n_met, n = (np.bincount(gold.sentence[rows], minlength=len(answers)) for rows in (met, np.ones_like(met)))
    found[(n > 0) & (n_met == n)] = SEEN
    found[(n > 0) & (n_met == 0)] = UNSEEN
    return found

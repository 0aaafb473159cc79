"""The entity-level confusion matrix, including missed and spurious entities.

Rows are the gold types and "spurious", columns the predicted types and "missed". Each gold entity and each predicted
one is counted once: a gold entity with its partner (:meth:`analysis.scores.matching.Matches.partners`) in one cell,
without one in the column "missed"; a predicted entity that answers none in the row "spurious". Two readings of
"answers":

- ``overlap``: partners share at least one word, so the diagonal holds right types with right or wrong boundaries;
- ``exact``: partners have the same span, so the diagonal is what lenient F1 counts as correct, and a boundary error
  is one missed and one spurious entity.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.run.spans import exact_pairs, order_types
from analysis.scores.matching import match

MISSED, SPURIOUS = "missed", "spurious"
Reading = Literal["overlap", "exact"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Confusion:
    """The cells as a list of entities, so that each cell leads to its sentences.

    Attributes:
        types: the T types of both sides, in the order of rows and columns.
        cells: one row per counted entity or pair: row, column (indices; T is the margin), language, sentence (row
            number), sentence_id, gold and predicted (row numbers in the entity tables, -1 for none).
    """

    types: tuple[str, ...]
    cells: pd.DataFrame

    @classmethod
    def build(cls, answers: Answers, reading: Reading = "overlap") -> Confusion:
        """Pair the entities and sort the pairs into cells."""
        gold, predicted = answers.gold, answers.predicted
        if reading == "overlap":
            partners = match(gold, predicted).partners()
        else:
            partners = np.full(len(gold), -1)
            rows, others = exact_pairs(gold, predicted)
            partners[rows] = others
        alone = np.setdiff1d(np.arange(len(predicted)), partners)
        margin = len(gold.types)
        answered = partners >= 0
        column = np.full(len(gold), margin)
        column[answered] = predicted.type[partners[answered]]
        sentence = np.concatenate([gold.sentence, predicted.sentence[alone]])
        cells = pd.DataFrame(
            {
                "row": np.concatenate([gold.type, np.full(len(alone), margin)]),
                "column": np.concatenate([column, predicted.type[alone]]),
                "language": answers.languages[sentence],
                "sentence": sentence,
                "sentence_id": answers.sentences["sentence_id"].to_numpy()[sentence],
                "gold": np.concatenate([np.arange(len(gold)), np.full(len(alone), -1)]),
                "predicted": np.concatenate([partners, alone]),
            }
        )
        return cls(types=gold.types, cells=cells)

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the names of the rows."""
        return (*self.types, SPURIOUS)

    @property
    def columns(self) -> tuple[str, ...]:
        """Return the names of the columns."""
        return (*self.types, MISSED)

    def counts(self, language: str | None = None) -> pd.DataFrame:
        """Return the matrix of counts, of one language or of all; (spurious, missed) cannot occur and is 0."""
        cells = self._of(language)
        size = len(self.types) + 1
        flat = np.bincount(cells["row"] * size + cells["column"], minlength=size * size)
        return pd.DataFrame(flat.reshape(size, size), index=list(self.rows), columns=list(self.columns))

    def shares(self, language: str | None = None) -> pd.DataFrame:
        """Return each row divided by its sum; a row without entities is NaN, not 0."""
        return row_shares(self.counts(language))

    def entities(self, row: str, column: str, language: str | None = None) -> pd.DataFrame:
        """Return the entities behind one cell, in the order of the sentences.

        Raises:
            ValueError: if there is no such row or column.
        """
        cells = self._of(language)
        chosen = (cells["row"] == self.rows.index(row)) & (cells["column"] == self.columns.index(column))
        return cells[chosen].sort_values("sentence", kind="stable").reset_index(drop=True)

    def _of(self, language: str | None) -> pd.DataFrame:
        return self.cells if language is None else self.cells[self.cells["language"] == language]


def row_shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Divide each row by its sum; NaN where that is 0."""
    totals = counts.sum(axis=1)
    return counts.div(totals.where(totals > 0), axis=0)


def difference(a: pd.DataFrame, b: pd.DataFrame) -> pd.DataFrame:
    """Return shares of A minus shares of B, each row normalised first so that sizes do not matter.

    Args:
        a: matrix of counts, of a language or a run; types that only the other has count 0.
        b: the other matrix.

    Returns:
        [-1, 1]; NaN in a row that A or B has no entity in.
    """
    types = order_types({*a.index, *b.index} - {SPURIOUS})
    rows, columns = [*types, SPURIOUS], [*types, MISSED]
    one, other = (m.reindex(index=rows, columns=columns, fill_value=0) for m in (a, b))
    return row_shares(one) - row_shares(other)

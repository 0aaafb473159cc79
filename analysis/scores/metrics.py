"""Precision, recall and F1 of entities under four named rules, from counts per sentence.

======== ===================================================================================================
rule     a predicted entity is right if
======== ===================================================================================================
strict   span and type equal those of a gold entity, both read by seqeval's ``mode="strict"``, IOB2: an orphan
         ``I-`` belongs to no entity. The headline number.
lenient  span and type are equal, read by seqeval's default mode (what the authors' script reports): an orphan
         ``I-`` starts an entity. Equal to strict wherever the tags are legal.
exact    the span is equal, whatever the type (nervaluate's ``exact``); orphans as in lenient.
overlap  it shares a word with the gold entity it answers (``matching.Matches.partners``) and has its type
         (nervaluate's ``ent_type``, save for chains of overlaps); orphans as in lenient.
======== ===================================================================================================

Undefined is None, never 0: precision without predicted entities, recall without gold ones, F1 without either.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from analysis.run.spans import Spans, exact_pairs
from analysis.scores.bootstrap import CORRECT, GOLD, MIN_SENTENCES, PREDICTED, RESAMPLES, Interval, f1_interval
from analysis.scores.breakdowns import ALL, by_part
from analysis.scores.matching import match

RULES = ("strict", "lenient", "exact", "overlap")
# Columns that may hold None must not turn into objects, not even in a table where all of them do.
SCORE_DTYPES = dict.fromkeys(("precision", "recall", "f1", "low", "high"), "float64")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Judged:
    """Gold and predicted entities that one rule counts, each right or not.

    Attributes:
        rule: one of ``RULES``.
        gold, predicted: the entities the rule counts: strict leaves orphans out.
        gold_right: [N] whether the gold entity was found.
        predicted_right: [N] whether the predicted entity is one.
        gold_kept, predicted_kept: which rows of the tables given are counted, as masks.
    """

    rule: str
    gold: Spans
    predicted: Spans
    gold_right: np.ndarray
    predicted_right: np.ndarray
    gold_kept: np.ndarray
    predicted_kept: np.ndarray

    def counts(self, gold_mask: np.ndarray | None = None, predicted_mask: np.ndarray | None = None) -> np.ndarray:
        """Return [S, 3] correct, predicted, gold per sentence: the sufficient statistics of every score.

        Args:
            gold_mask: [rows of ``gold``] which gold entities belong to the slice; default all.
            predicted_mask: the same of ``predicted``. A right pair must get the same answer from both masks, which
                any attribute of span, type and sentence does.
        """
        gold = self.gold.sentence if gold_mask is None else self.gold.sentence[gold_mask]
        right = self.gold_right if gold_mask is None else self.gold_right[gold_mask]
        predicted = self.predicted.sentence if predicted_mask is None else self.predicted.sentence[predicted_mask]
        n = self.gold.n_sentences
        columns = (gold[right], predicted, gold)
        return np.stack([np.bincount(column, minlength=n) for column in columns], axis=1)

    def counts_of_type(self, entity_type: str) -> np.ndarray:
        """Return [S, 3] counts of one type; a type that does not occur counts nothing."""
        code = self.gold.types.index(entity_type) if entity_type in self.gold.types else -1
        return self.counts(self.gold.type == code, self.predicted.type == code)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """Precision, recall and F1 (0 to 1, None where undefined) with what they were counted on.

    Attributes:
        rule: the scoring rule, see the module.
        interval: bootstrap interval of F1 over sentences; None where too few sentences have an entity.
        note: one sentence for an empty, tiny or faultless slice, else empty.
    """

    rule: str
    precision: float | None
    recall: float | None
    f1: float | None
    n_correct: int
    n_predicted: int
    n_gold: int
    n_sentences: int
    interval: Interval | None = None
    note: str = ""


def judge(gold: Spans, predicted: Spans, rule: str = "strict") -> Judged:
    """Judge whether each entity is right under ``rule``.

    Raises:
        ValueError: if there is no such rule.
    """
    if rule not in RULES:
        raise ValueError(f"No scoring rule {rule!r}; there are {', '.join(RULES)}.")
    gold_kept, predicted_kept = (
        ~side.orphan if rule == "strict" else np.ones(len(side), dtype=bool) for side in (gold, predicted)
    )
    gold, predicted = gold.take(gold_kept), predicted.take(predicted_kept)
    if rule == "overlap":
        partners = match(gold, predicted).partners()
        rows = np.flatnonzero(partners >= 0)
        others = partners[rows]
    else:
        rows, others = exact_pairs(gold, predicted)
    if rule != "exact":
        same = gold.type[rows] == predicted.type[others]
        rows, others = rows[same], others[same]
    gold_right, predicted_right = np.zeros(len(gold), dtype=bool), np.zeros(len(predicted), dtype=bool)
    gold_right[rows] = True
    predicted_right[others] = True
    return Judged(
        rule=rule,
        gold=gold,
        predicted=predicted,
        gold_right=gold_right,
        predicted_right=predicted_right,
        gold_kept=gold_kept,
        predicted_kept=predicted_kept,
    )


def score(counts: np.ndarray, rule: str, *, resamples: int = RESAMPLES, seed: int = 0) -> Score:
    """Turn counts per sentence into a score with its interval.

    Args:
        counts: [S, 3] from :meth:`Judged.counts`.
        rule: the rule they were counted under.
        resamples: how many bootstrap resamples to draw; 0 for no interval.
        seed: of the bootstrap.
    """
    total = counts.sum(axis=0)
    correct, predicted, gold = (int(total[column]) for column in (CORRECT, PREDICTED, GOLD))
    return Score(
        rule=rule,
        precision=correct / predicted if predicted else None,
        recall=correct / gold if gold else None,
        f1=2 * correct / (predicted + gold) if predicted + gold else None,
        n_correct=correct,
        n_predicted=predicted,
        n_gold=gold,
        n_sentences=len(counts),
        interval=f1_interval(counts, resamples=resamples, seed=seed) if resamples else None,
        note=_note(counts, correct, predicted, gold),
    )


def score_table(
    judged: Judged, languages: Sequence[str] | np.ndarray, *, resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Score every language and type, and all of them together ("all").

    Args:
        judged: the entities under one rule.
        languages: [S] language of each sentence.
        resamples: as in :func:`score`.
        seed: as in :func:`score`.

    Returns:
        One row per (language, type): rule, language, type, precision, recall, f1, low, high, n_sentences, n_gold,
        n_predicted, n_correct, note. Undefined numbers are missing values. The exact rule has type "all" only.
    """
    types = () if judged.rule == "exact" else judged.gold.types
    by_type = {ALL: judged.counts()} | {name: judged.counts_of_type(name) for name in types}
    rows = []
    for language, chosen in by_part(languages, unnamed=True):
        for entity_type, counts in by_type.items():
            result = score(counts[chosen], judged.rule, resamples=resamples, seed=seed)
            rows.append({"language": language, "type": entity_type, **score_row(result)})
    return pd.DataFrame(rows).astype(SCORE_DTYPES)


def score_row(result: Score) -> dict[str, object]:
    """Return a score as the columns every table of scores has."""
    return {
        "rule": result.rule,
        "precision": result.precision,
        "recall": result.recall,
        "f1": result.f1,
        "low": result.interval.low if result.interval else None,
        "high": result.interval.high if result.interval else None,
        "n_sentences": result.n_sentences,
        "n_gold": result.n_gold,
        "n_predicted": result.n_predicted,
        "n_correct": result.n_correct,
        "note": result.note,
    }


def _note(counts: np.ndarray, correct: int, predicted: int, gold: int) -> str:
    if not len(counts):
        return "No sentence in this slice."
    if not predicted + gold:
        return "No gold and no predicted entity in this slice."
    if (informative := int((counts > 0).any(axis=1).sum())) < MIN_SENTENCES:
        return f"Only {informative} sentences with an entity: too few for an interval."
    if correct == predicted == gold:
        return "No error in this slice: the interval cannot show how rare one is."
    return ""

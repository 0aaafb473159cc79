"""Scores on the gold tags as annotated and as corrected, on the same sentences."""

from __future__ import annotations

import pandas as pd

from analysis.run.answers import Answers
from analysis.run.corrections import Corrections
from analysis.run.spans import read_spans
from analysis.scores.bootstrap import GOLD, RESAMPLES, f1_difference
from analysis.scores.breakdowns import ALL, by_part
from analysis.scores.metrics import judge


def correction_table(
    answers: Answers, corrections: Corrections, *, rule: str = "strict", resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Score the predictions against both, per language and type and over all.

    Returns:
        language, type, rule, f1_annotated, f1_corrected, difference with its paired bootstrap interval low, high,
        n_sentences, n_corrected (sentences), n_gold, n_gold_corrected (entities). None is "not defined".
    """
    corrected = corrections.apply(answers)
    gold, other, predicted = read_spans(answers.table["gold"], corrected.table["gold"], answers.table["tags"])
    before, after = (judge(side, predicted, rule) for side in (gold, other))
    touched = answers.sentences["sentence_id"].isin(list(corrections.of)).to_numpy()
    rows = []
    for entity_type in (ALL, *gold.types):
        counts = [side.counts() if entity_type == ALL else side.counts_of_type(entity_type) for side in (before, after)]
        for language, chosen in by_part(answers.languages):
            found = f1_difference(counts[0][chosen], counts[1][chosen], resamples=resamples, seed=seed)
            n_gold, n_gold_corrected = (int(side[chosen, GOLD].sum()) for side in counts)
            rows.append(
                {
                    "language": language,
                    "type": entity_type,
                    "rule": rule,
                    "f1_annotated": found.f1_a,
                    "f1_corrected": found.f1_b,
                    "difference": found.difference,
                    "low": found.interval.low if found.interval else None,
                    "high": found.interval.high if found.interval else None,
                    "n_sentences": int(chosen.sum()),
                    "n_corrected": int((chosen & touched).sum()),
                    "n_gold": n_gold,
                    "n_gold_corrected": n_gold_corrected,
                }
            )
    numbers = dict.fromkeys(("f1_annotated", "f1_corrected", "difference", "low", "high"), "float64")
    return pd.DataFrame(rows).astype(numbers)

"""Counts correct, predicted and gold entities of every test sentence, seed by seed, from run folders."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from analysis.experiment.grid import ArmResult
from analysis.experiment.intervals import SeedScore, mean_difference, mean_f1
from analysis.experiment.scoring import NONE
from analysis.run.folder import EvaluationRun
from analysis.scores.breakdowns import ALL
from analysis.scores.metrics import judge

_COUNTS = ["correct", "predicted", "gold"]
_KEY = ["set", "sentence_id"]
Slice = dict[str, str]


def sentence_counts(runs: Sequence[EvaluationRun], condition: str) -> pd.DataFrame:
    """Count under the strict rule.

    Args:
        runs: of one seed, one per test set.
        condition: the image condition; a run of a model that looks at no image has "none" alone, and what it says
            holds under every condition.

    Returns:
        One row per sentence: set, sentence_id, source, language, correct, predicted, gold; in one order for all.
    """
    frames = [_of_run(run, condition if condition in run.conditions else NONE) for run in runs]
    return pd.concat([frame.assign(set=i) for i, frame in enumerate(frames)], ignore_index=True)


def slices(frame: pd.DataFrame, column: str) -> list[Slice]:
    """Return one slice per value of a column ("source", "language"), and all sentences last where there are several."""
    values = [{column: value} for value in dict.fromkeys(frame[column]) if value]
    return [*values, {column: ALL}] if len(values) > 1 else values


def seed_score(outcome: ArmResult, condition: str, where: Slice) -> SeedScore:
    """Return F1 of a row on a slice, over its seeds."""
    frames = [sentence_counts(runs, condition) for runs in outcome.runs]
    return mean_f1([_chosen(frame, where) for frame in frames])


def difference(
    outcome: ArmResult, condition: str, reference: ArmResult, reference_condition: str, where: Slice
) -> SeedScore:
    """Return F1 minus that of another row or condition, on the sentences that took part in both."""
    ours, theirs = [], []
    for runs, other_runs in zip(outcome.runs, reference.runs, strict=True):
        frame, other = sentence_counts(runs, condition), sentence_counts(other_runs, reference_condition)
        both = frame.merge(other[_KEY], on=_KEY)[_KEY]
        ours.append(_chosen(both.merge(frame, on=_KEY), where))
        theirs.append(_chosen(both.merge(other, on=_KEY), where))
    return mean_difference(ours, theirs)


def _of_run(run: EvaluationRun, condition: str) -> pd.DataFrame:
    return run.remember(("sentence counts", condition), lambda: _count(run, condition))


def _count(run: EvaluationRun, condition: str) -> pd.DataFrame:
    answers = run.answers(condition)
    judged = judge(answers.gold, answers.predicted, "strict")
    frame = answers.sentences[["sentence_id", "source", "language"]].copy()
    frame[_COUNTS] = judged.counts()
    return frame.sort_values("sentence_id", ignore_index=True)


def _chosen(frame: pd.DataFrame, where: Slice) -> np.ndarray:
    chosen = np.ones(len(frame), dtype=bool)
    for column, value in where.items():
        if value != ALL:
            chosen &= (frame[column] == value).to_numpy()
    return frame.loc[chosen, _COUNTS].to_numpy()

"""Computes the numbers of ``metrics.json`` from the predictions and vectors of a run.

====================== =========================================================================================
key                    rows of
====================== =========================================================================================
scores                 :func:`analysis.scores.metrics.score_table` with ``condition``; strict and lenient
modality               :func:`analysis.image_effect.modality.modality_table`
modality_by_cosine     :func:`analysis.image_effect.modality.split_table`, by tercile of the image-text cosine
modality_by_kind       the same by pairing kind, where the data say it
stress                 :func:`analysis.image_effect.text_stress.stress_table`
minimal_pairs          :func:`analysis.image_effect.minimal_pairs.pair_table` with ``condition``
shapley                :func:`analysis.image_effect.shapley.share_table` of text and image
shapley_streams        the same of text and each image stream
contrastive            :func:`analysis.space.contrastive.contrastive_table` of the main stream (``contrastive_stream``)
calibration            :func:`analysis.scores.calibration.calibration_table`; the temperature is in it
calibration_bins       bins of :class:`analysis.scores.calibration.Reliability` with ``language`` and ``when``
leakage, leakage_pairs :func:`analysis.scores.leakage.find_leakage`, where training data were given
====================== =========================================================================================

What is unavailable is left out; an undefined cell is null; "low" and "high" bound a bootstrap 95 % interval.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.conditions.conditions import STRESSED
from analysis.evaluation.plan import MATCHED, NONE
from analysis.image_effect.minimal_pairs import find_minimal_pairs, pair_outcomes, pair_table
from analysis.image_effect.modality import image_conditions, modality_table, pair_conditions, split_table
from analysis.image_effect.shapley import TEXT_AND_IMAGE, TEXT_AND_STREAMS, entity_shares, share_table
from analysis.image_effect.text_stress import stress_table
from analysis.run.json_rows import to_records
from analysis.run.pair_facts import PairFacts
from analysis.run.vectors import IMAGE, image_streams, main_stream
from analysis.scores.calibration import calibration_table, reliability_by_language, rescaled
from analysis.scores.leakage import find_leakage
from analysis.scores.metrics import judge, score_table
from analysis.space.contrastive import contrastive_table

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun
    from analysis.run.lexicon import Lexicon
    from mmner_core.data import Example

Metrics = dict[str, Any]
_PAIRS_KEPT = 1000
SCORED_RULES = ("strict", "lenient")


def scores(run: EvaluationRun) -> Metrics:
    """Score every condition per language and type, strict and lenient."""
    frames = []
    for condition in run.conditions:
        answers = run.answers(condition)
        for rule in SCORED_RULES:
            judged = judge(answers.gold, answers.predicted, rule)
            frames.append(score_table(judged, answers.languages).assign(condition=condition))
    return {"scores": to_records(pd.concat(frames))}


def modality(run: EvaluationRun) -> Metrics:
    """Compare every condition with text alone; split "matched" by cosine tercile and by pairing kind."""
    if NONE not in run.conditions or len(image_conditions(run)) < 2:
        return {}
    metrics = {"modality": to_records(modality_table(run))}
    if MATCHED not in run.conditions:
        return metrics
    paired = pair_conditions(run, MATCHED)
    if paired.condition.cosine is not None:
        metrics["modality_by_cosine"] = to_records(split_table(paired, paired.terciles))
    kinds = paired.condition.sentences["kind"].to_numpy(dtype=object)
    if any(kinds):
        metrics["modality_by_kind"] = to_records(split_table(paired, kinds))
    return metrics


def stress(run: EvaluationRun) -> Metrics:
    """Compare changed words with the words as they are, where the run has some."""
    if not any(name in run.conditions for name in STRESSED):
        return {}
    return {"stress": to_records(stress_table(run))}


def minimal_pairs(run: EvaluationRun) -> Metrics:
    """Score the minimal pairs under matched and none."""
    if MATCHED not in run.conditions or not (pairs := find_minimal_pairs(run.answers(MATCHED))):
        return {}
    languages = run.answers(MATCHED).languages
    frames = []
    for condition in (MATCHED, NONE):
        if condition in run.conditions:
            outcomes = pair_outcomes(pairs, run.answers(condition))
            frames.append(pair_table(pairs, outcomes, languages).assign(condition=condition))
    return {"minimal_pairs": to_records(pd.concat(frames))}


def shapley(run: EvaluationRun) -> Metrics:
    """Average the Shapley shares, where the conditions that they need are there."""
    games = {"shapley": TEXT_AND_IMAGE, "shapley_streams": TEXT_AND_STREAMS}
    return {
        name: to_records(share_table(entity_shares(run, coalitions)))
        for name, coalitions in games.items()
        if set(coalitions.values()) <= set(run.conditions)
    }


def contrastive(run: EvaluationRun, arrays: Mapping[str, np.ndarray], lexicon: Lexicon | None = None) -> Metrics:
    """Measure the contrastive space in the main stream.

    Args:
        run: with the condition "matched".
        arrays: see :mod:`analysis.run.vectors`.
        lexicon: training names, to tell seen ones from new ones.
    """
    rows = np.flatnonzero(arrays.get("has_image", np.empty(0)))
    if not len(rows):
        return {}
    stream = main_stream(image_streams(tuple(arrays)))
    answers = run.answers(MATCHED)
    places = pd.Index(answers.sentences["sentence_id"]).get_indexer(pd.Index(arrays["sentence_id"][rows]))
    sentences = answers.sentences.iloc[places]
    table = contrastive_table(
        arrays["text"][rows],
        arrays[IMAGE + stream][rows],
        sentences["image_id"].tolist(),
        sentences["language"].tolist(),
        facts=PairFacts.of(answers, lexicon).take(places),
    )
    return {"contrastive_stream": stream, "contrastive": to_records(table)}


def calibration(answers: Answers, valid: Answers | None) -> Metrics:
    """Return ECE before and after a temperature, with the bins of the reliability diagram.

    Args:
        answers: of the run.
        valid: what the same checkpoint said of other sentences, to fit the temperature on; None: halves of the run.
    """
    after, _, _ = rescaled(answers, valid)
    diagrams = {"before": answers.require("confidence"), "after": after}
    bins = [
        reliability.bins.assign(language=language, when=when)
        for when, confidence in diagrams.items()
        for language, reliability in reliability_by_language(answers, confidence).items()
    ]
    table = calibration_table(answers, valid)
    return {"calibration": to_records(table), "calibration_bins": to_records(pd.concat(bins))}


def leakage_metrics(train: Iterable[Example], examples: Iterable[Example]) -> Metrics:
    """Count what training shares with the sentences of the run, and list the first thousand pairs."""
    found = find_leakage(train, list(examples))
    return {"leakage": to_records(found.counts), "leakage_pairs": to_records(found.pairs.head(_PAIRS_KEPT))}

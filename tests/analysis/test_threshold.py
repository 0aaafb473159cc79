"""A least confidence: what is kept and right is counted by hand, baselines are what they claim to be."""

from __future__ import annotations

import numpy as np
import pytest

from analysis.run.answers import Answers
from analysis.scores.threshold import THRESHOLDS, risk_coverage, threshold_gains, threshold_table
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table

ROWS = (
    ("Ada saw Rome", "B-PER O B-LOC", "B-PER O B-LOC"),
    ("Bo saw Lima", "B-PER O B-LOC", "B-PER O B-ORG"),
    ("x y z", "O O O", "B-PER O O"),
)
CONFIDENCE = ((0.9, 0.6), (0.8, 0.5), (0.3,))  # right, right; right, wrong; wrong


def answers(copies: int = 1, **columns: object) -> Answers:
    """Make the three sentences, each as often, with confidences that differ."""
    rows = ROWS * copies
    table = small_table(rows, **columns)
    entities = table["entities"].to_pylist()
    for found, confidences in zip(entities, CONFIDENCE * copies, strict=True):
        for entity, confidence in zip(found, confidences, strict=True):
            entity["confidence"] = confidence
    return Answers.from_table(small_table(rows, entities=entities, **columns))


def test_counts_by_hand() -> None:
    """At 0.55 three of five names are kept, all right; one annotated name of four is lost with the wrong ones."""
    table = threshold_table(answers(), (0.0, 0.55, 0.95)).set_index("threshold")
    whole, half, none = (table[table["language"] == "all"].loc[t] for t in (0.0, 0.55, 0.95))
    assert (whole["kept"], whole["right"], whole["predicted"], whole["gold"]) == (5, 3, 5, 4)
    assert whole["precision"] == pytest.approx(0.6) and whole["recall"] == pytest.approx(0.75)
    assert whole["f1"] == whole["f1_at_random"] == pytest.approx(6 / 9)
    assert (half["kept"], half["right"], half["coverage"]) == (3, 3, pytest.approx(0.6))
    assert half["precision"] == 1 and half["recall"] == pytest.approx(0.75) and half["f1"] == pytest.approx(6 / 7)
    assert half["f1_at_random"] == pytest.approx(2 * 3 * 0.6 / 7)
    assert half["precision_low"] < 1 <= half["precision_high"] + 1e-9
    assert none["kept"] == 0 and np.isnan(none["precision"]) and none["recall"] == 0


def test_languages_and_types_have_their_own_rows() -> None:
    """Counts of languages add up to all; one type counts its own predicted and annotated names."""
    of_two = answers(2, language=["en", "de", "de", "en", "en", "de"])
    table = threshold_table(of_two)
    assert table["language"].unique().tolist() == ["all", "de", "en"]
    sums = table[table["language"] != "all"].groupby("threshold")[["kept", "right", "gold"]].sum()
    everything = table[table["language"] == "all"].set_index("threshold")[["kept", "right", "gold"]]
    np.testing.assert_array_equal(sums, everything)
    places = threshold_table(of_two, (0.0,), "LOC")
    assert places.loc[0, ["type", "predicted", "gold", "precision", "recall"]].tolist() == ["LOC", 2, 4, 1.0, 0.5]
    assert threshold_table(of_two, (0.0,), "WORLD").loc[0, ["predicted", "gold"]].tolist() == [0, 0]


def test_a_gain_has_an_interval_only_where_there_is_enough() -> None:
    """At 0 nothing is gained; at 0.55 F1 gains in every resample; three sentences are too few for an interval."""
    gains = threshold_gains(answers(20), (0.0, 0.55))
    assert gains.loc[0, ["gain", "gain_low", "gain_high"]].tolist() == [0, 0, 0]
    assert gains.loc[1, "gain"] == pytest.approx(6 / 7 - 6 / 9) and gains.loc[1, "gain_low"] > 0
    assert gains.loc[1, "low"] < 6 / 7 < gains.loc[1, "high"]
    few = threshold_gains(answers(), (0.55,))
    assert few.loc[0, "gain"] > 0 and few[["low", "high", "gain_low", "gain_high"]].isna().all(axis=None)


def test_the_area_lies_between_the_best_and_a_random_order() -> None:
    """By hand; where all are equally sure it is the random one; an order that errs on purpose is worse than that."""
    found = risk_coverage(answers())
    assert found is not None and found.n == 5
    assert found.area == pytest.approx(np.mean([0, 0, 0, 1 / 4, 2 / 5])) == pytest.approx(found.at_best)
    assert found.at_random == pytest.approx(0.4)
    even = Answers.from_table(small_table(ROWS))
    alike = risk_coverage(even)
    assert alike is not None and alike.area == pytest.approx(alike.at_random)
    assert risk_coverage(even, "MISC") is None


def test_without_probabilities_a_sentence_says_so() -> None:
    """Another system's tags have none."""
    bare = Answers.from_table(small_table(ROWS, model=False))
    for refused in (threshold_table, threshold_gains, risk_coverage):
        with pytest.raises(InputError, match="confidence"):
            refused(bare)
    assert THRESHOLDS[0] == 0 and max(THRESHOLDS) < 1

"""Scores by hand-counted examples, strict and lenient."""

from __future__ import annotations

import pytest

from mmner_core.evaluation.scores import score

GOLD = [["B-PER", "I-PER", "O", "B-LOC"], ["O", "B-ORG", "O", "O"]]


def test_the_perfect_answer_scores_one() -> None:
    """Every type and the micro average, with the number of gold entities."""
    found = score(GOLD, GOLD)
    assert found["micro"] == {"precision": 1.0, "recall": 1.0, "f1": 1.0, "support": 3}
    assert {name: row["support"] for name, row in found.items()} == {"PER": 1, "LOC": 1, "ORG": 1, "micro": 3}


def test_errors_are_counted_by_entity() -> None:
    """A short span and a wrong type are each both a miss and a false find."""
    predicted = [["B-PER", "O", "O", "B-LOC"], ["O", "B-LOC", "O", "O"]]
    found = score(GOLD, predicted)
    assert found["micro"]["precision"] == pytest.approx(1 / 3)
    assert found["micro"]["recall"] == pytest.approx(1 / 3)
    assert found["LOC"] == {"precision": 0.5, "recall": 1.0, "f1": pytest.approx(2 / 3), "support": 1}
    assert found["ORG"]["recall"] == 0


def test_an_orphan_counts_only_for_the_lenient_rule() -> None:
    """An I- after O is an entity for seqeval's default, which the authors' code uses, and none in strict IOB2."""
    gold, predicted = [["O", "B-PER", "I-PER"]], [["O", "I-PER", "I-PER"]]
    assert score(gold, predicted, strict=False)["micro"]["f1"] == 1
    assert score(gold, predicted)["micro"]["f1"] == 0


@pytest.mark.parametrize("strict", [True, False])
def test_sentences_without_names_score_zero_quietly(strict: bool) -> None:
    """Nothing to find and nothing found: zeros with support 0, no warning."""
    assert score([["O"], ["O", "O"]], [["O"], ["O", "O"]], strict=strict) == {
        "micro": {"precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 0}
    }
    assert score([["O"]], [["B-PER"]], strict=strict)["micro"]["support"] == 0
    assert score([["B-PER"]], [["O"]], strict=strict)["micro"]["recall"] == 0

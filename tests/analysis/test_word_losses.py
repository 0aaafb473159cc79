"""The loss of each word from the stored probabilities, and which words and types are the worst."""

import numpy as np
import pytest

from analysis.panels.word_losses import worst
from analysis.run.folder import EvaluationRun
from analysis.scores.word_losses import label_losses, word_losses, worst_words
from mmner_core.errors import InputError
from tests.analysis.report_run import tags_run
from tests.analysis.small_run import small_answers, small_table

ROWS = [
    ("Ada saw Rome", "B-PER O B-LOC", "B-PER O O"),
    ("ROME is old", "B-LOC O O", "O O O"),
    ("in Rome now", "O B-LOC O", "O O B-MISC"),
    ("New York", "B-LOC I-LOC", "B-LOC I-LOC"),
]
HIT, MISS = -np.log(0.9), -np.log(0.1)  # small_table gives these probabilities


def test_a_word_bears_the_loss_of_what_is_annotated_there() -> None:
    """Of its entity; of a false mark what speaks against it; outside both nothing is stored, so nothing counts."""
    losses = word_losses(small_answers(ROWS))
    assert losses["loss"].tolist() == pytest.approx(
        [HIT, 0, MISS, MISS, 0, 0, 0, MISS, -np.log(1 - 0.9), HIT, HIT], rel=1e-5
    )
    assert losses["wrong"].tolist() == [False, False, True, True, False, False, False, True, True, False, False]
    assert losses["sentence_id"].tolist() == [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3]


def test_the_worst_words_are_counted_whatever_their_case() -> None:
    """Under their most frequent spelling, from three times on, with the sentence of the worst occurrence."""
    table = worst_words(word_losses(small_answers(ROWS)))
    assert table[["language", "word", "gold", "n", "wrong"]].to_numpy().tolist() == [["en", "Rome", "B-LOC", 3, 1.0]]
    assert table["loss"].iloc[0] == pytest.approx(MISS, rel=1e-5)
    assert table["sentence_id"].iloc[0] in (0, 1, 2) and np.isnan(table["low"].iloc[0])  # three sentences: no interval
    assert len(worst_words(word_losses(small_answers(ROWS)), min_count=1)) == 5


def test_languages_are_kept_apart() -> None:
    """What is the same word in two languages is not the same habit."""
    losses = word_losses(small_answers(ROWS * 2, sentence_id=list(range(8)), language=["en"] * 4 + ["de"] * 4))
    assert worst_words(losses)[["language", "word"]].to_numpy().tolist() == [["de", "Rome"], ["en", "Rome"]]


def test_types_are_averaged_with_an_interval_over_sentences() -> None:
    """All words of a type, and those outside entities."""
    table = label_losses(word_losses(small_answers(ROWS * 10, sentence_id=list(range(40)))))
    everything = table[table["language"] == "all"].set_index("type")
    assert everything["n"].to_dict() == {"LOC": 50, "PER": 10, "O": 50}
    assert everything.loc["LOC", "loss"] == pytest.approx((3 * MISS + 2 * HIT) / 5, rel=1e-5)
    assert everything.loc["LOC", "low"] < everything.loc["LOC", "loss"] < everything.loc["LOC", "high"]
    assert list(table["loss"]) == sorted(table["loss"], reverse=True) or len(set(table["language"])) > 1


def test_a_probability_of_nothing_has_an_end() -> None:
    """The logarithm of 0 would swallow every other word."""
    answers = small_answers([("Ada", "B-PER", "O")], gold_span_confidence=[[0.0]])
    assert word_losses(answers)["loss"].tolist() == pytest.approx([-np.log(1e-6)])


def test_the_panel_says_what_to_compare_with_and_what_is_missing() -> None:
    """The mean over all words and over those in entities; tags alone have no loss."""
    run = EvaluationRun.from_table(small_table(ROWS), name="small")
    panel = worst(run)
    assert "over all words" in panel.notes[0] and panel.n == "4 sentences, 5 gold entities, 11 words"
    with pytest.raises(InputError, match="no confidence"):
        word_losses(tags_run().answers())
    assert "no confidence" in worst(tags_run()).notes[0]

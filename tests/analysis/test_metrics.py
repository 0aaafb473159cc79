"""Scores equal seqeval's and nervaluate's, and empty slices say so."""

import warnings

import numpy as np
import pytest
from hypothesis import given
from nervaluate import Evaluator
from seqeval.metrics import classification_report
from seqeval.scheme import IOB2

from analysis.run.spans import read_spans
from analysis.scores.matching import match
from analysis.scores.metrics import judge, score, score_table
from tests.analysis.taggings import MANY, TYPES, paired_tags

MODES = {"strict": {"mode": "strict", "scheme": IOB2}, "lenient": {}}


@pytest.mark.parametrize("rule", MODES)
@MANY
@given(tags=paired_tags())
def test_scores_equal_seqeval(rule: str, tags: tuple[list, list]) -> None:
    """Micro and per-type precision, recall and F1, with orphan I- tags on both sides."""
    gold, predicted = tags
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            report = classification_report(gold, predicted, output_dict=True, zero_division=0, **MODES[rule])
        except ValueError:  # seqeval cannot report on data without any entity
            report = {}
    judged = judge(*read_spans(gold, predicted), rule)
    for name in ("micro avg", *TYPES):
        counts = judged.counts() if name == "micro avg" else judged.counts_of_type(name)
        mine = score(counts, rule, resamples=0)
        theirs = report.get(name, {"precision": 0, "recall": 0, "f1-score": 0, "support": 0})
        assert mine.n_gold == theirs["support"]
        assert (mine.precision or 0) == pytest.approx(theirs["precision"])
        assert (mine.recall or 0) == pytest.approx(theirs["recall"])
        assert (mine.f1 or 0) == pytest.approx(theirs["f1-score"])


@pytest.mark.parametrize(("rule", "schema"), [("lenient", "strict"), ("exact", "exact"), ("overlap", "ent_type")])
@MANY
@given(tags=paired_tags(legal=True))
def test_counts_equal_nervaluate(rule: str, schema: str, tags: tuple[list, list]) -> None:
    """Nervaluate, sentence by sentence; "ent_type" where it does not depend on the order of overlaps."""
    gold, predicted = read_spans(*tags)
    judged = judge(gold, predicted, rule)
    matches = match(gold, predicted)
    chained = {
        int(s)
        for s, g, p in zip(matches.sentence, matches.gold_rows, matches.predicted_rows, strict=True)
        if g[1] - g[0] > 1 or p[1] - p[0] > 1
    }
    for row, (gold_tags, predicted_tags) in enumerate(zip(*tags, strict=True)):
        if rule == "overlap" and row in chained:
            continue
        evaluator = Evaluator([gold_tags], [predicted_tags], tags=list(TYPES), loader="list")
        theirs = evaluator.evaluate()["overall"][schema]
        assert judged.counts()[row].tolist() == [theirs.correct, theirs.actual, theirs.possible]


@MANY
@given(tags=paired_tags())
def test_types_and_sentences_add_up(tags: tuple[list, list]) -> None:
    """The counts of the types sum to the micro counts in every sentence."""
    judged = judge(*read_spans(*tags), "strict")
    by_type = sum(judged.counts_of_type(t) for t in judged.gold.types)
    assert (judged.counts() == (by_type if judged.gold.types else 0)).all()


@MANY
@given(tags=paired_tags(legal=True))
def test_strict_is_lenient_on_legal_tags(tags: tuple[list, list]) -> None:
    """The two readings differ by orphan I- tags and by nothing else."""
    spans = read_spans(*tags)
    assert (judge(*spans, "strict").counts() == judge(*spans, "lenient").counts()).all()


def test_an_orphan_counts_leniently_only() -> None:
    """An I- without a B- is no entity for strict and one for lenient."""
    spans = read_spans([["B-PER", "O"]], [["I-PER", "O"]])
    assert judge(*spans, "strict").counts().tolist() == [[0, 0, 1]]
    assert judge(*spans, "lenient").counts().tolist() == [[1, 1, 1]]


def test_undefined_is_none_with_a_reason() -> None:
    """No sentence, no entity, and too few entities each say so."""
    empty = score(np.zeros((0, 3), dtype=int), "strict")
    assert (empty.precision, empty.recall, empty.f1, empty.interval) == (None, None, None, None)
    assert empty.note == "No sentence in this slice."
    assert score(np.zeros((5, 3), dtype=int), "strict").note == "No gold and no predicted entity in this slice."
    missed = score(np.array([[0, 0, 2]]), "strict")
    assert (missed.precision, missed.recall, missed.f1) == (None, 0, 0)
    assert missed.note == "Only 1 sentences with an entity: too few for an interval."


def test_the_table_has_every_language_and_type() -> None:
    """Margins and cells, with n, as floats with missing values and never as a made-up zero."""
    gold = [["B-PER"]] * 12 + [["O"]] * 3
    table = score_table(judge(*read_spans(gold, gold)), ["en"] * 12 + ["de"] * 3).set_index(["language", "type"])
    assert set(table.index) == {(lang, t) for lang in ("all", "en", "de") for t in ("all", "PER")}
    assert table.loc[("en", "PER"), ["f1", "low", "high", "n_gold"]].tolist() == [1, 1, 1, 12]
    assert np.isnan(table.loc[("de", "PER"), "f1"])
    assert table.loc[("de", "PER"), "note"] == "No gold and no predicted entity in this slice."
    assert table.loc[("en", "PER"), "note"].startswith("No error in this slice")
    assert table["low"].dtype == float


def test_an_unknown_rule_is_refused() -> None:
    """The rules there are get named."""
    with pytest.raises(ValueError, match="strict, lenient, exact, overlap"):
        judge(*read_spans([["O"]], [["O"]]), "loose")

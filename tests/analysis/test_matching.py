"""The error taxonomy: exhaustive, exclusive, and each class what its name says."""

import numpy as np
import pytest
from hypothesis import given

from analysis.run.spans import read_spans
from analysis.scores.matching import CORRECT, DETAILS, KINDS, MISSED, SPURIOUS, match
from mmner_core.labels import Entity, tags_to_entities
from tests.analysis.taggings import MANY, paired_tags
from tests.helpers import entities_to_tags

N_WORDS = 10


def classes(gold: list[tuple], predicted: list[tuple]) -> list[tuple[str, str]]:
    """Match one sentence given as (start, end, type) and name the classes found."""
    tags = [entities_to_tags([Entity(*e) for e in side], N_WORDS) for side in (gold, predicted)]
    matches = match(*read_spans([tags[0]], [tags[1]]))
    return [(KINDS[k], DETAILS[d]) for k, d in zip(matches.kind, matches.detail, strict=True)]


ONE_TO_ONE = {
    (3, 7): ("correct", ""),
    (4, 7): ("boundary", "cut left"),
    (3, 6): ("boundary", "cut right"),
    (2, 7): ("boundary", "extended left"),
    (3, 8): ("boundary", "extended right"),
    (4, 6): ("boundary", "cut left, cut right"),
    (2, 8): ("boundary", "extended left, extended right"),
    (4, 8): ("boundary", "cut left, extended right"),
    (2, 6): ("boundary", "extended left, cut right"),
}


@pytest.mark.parametrize(("span", "expected"), ONE_TO_ONE.items())
def test_one_answer_to_one_name(span: tuple[int, int], expected: tuple[str, str]) -> None:
    """Each way the two ends can be off has its own detail, and a second type adds "and type"."""
    kind, detail = expected
    assert classes([(3, 7, "PER")], [(*span, "PER")]) == [expected]
    other = "wrong type" if kind == "correct" else "boundary and type"
    assert classes([(3, 7, "PER")], [(*span, "ORG")]) == [(other, detail)]


def test_split_merged_and_chains() -> None:
    """Several answers to one name, one answer to several, and both at once."""
    whole, halves = [(2, 6, "PER")], [(2, 4, "PER"), (4, 6, "PER")]
    assert classes(whole, halves) == [("boundary", "split")]
    assert classes(halves, whole) == [("boundary", "merged")]
    assert classes(halves, [(1, 3, "PER"), (3, 5, "PER")]) == [("boundary", "split and merged")]
    assert classes(whole, [(2, 4, "PER"), (4, 6, "LOC")]) == [("boundary and type", "split")]
    assert classes([(2, 4, "LOC"), (4, 6, "PER")], whole) == [("boundary and type", "merged")]


def test_untouched_names_are_missed_or_spurious() -> None:
    """Neighbours that share no word do not answer each other."""
    assert classes([(0, 2, "PER")], [(2, 4, "PER")]) == [("missed", ""), ("spurious", "")]
    assert classes([], []) == []


@MANY
@given(paired_tags())
def test_every_entity_lands_in_exactly_one_class(tags: tuple[list, list]) -> None:
    """Exhaustive and exclusive: the groups' row ranges partition both tables."""
    gold, predicted = read_spans(*tags)
    matches = match(gold, predicted)
    for spans, rows in ((gold, matches.gold_rows), (predicted, matches.predicted_rows)):
        covered = np.concatenate([np.arange(*span) for span in rows] or [np.zeros(0, dtype=int)])
        assert covered.tolist() == list(range(len(spans)))
    assert ((matches.gold_rows[:, 1] > matches.gold_rows[:, 0]) == (matches.kind != SPURIOUS)).all()
    assert ((matches.predicted_rows[:, 1] > matches.predicted_rows[:, 0]) == (matches.kind != MISSED)).all()


@MANY
@given(paired_tags())
def test_groups_are_the_connected_components_of_overlap(tags: tuple[list, list]) -> None:
    """A slow graph walk over each sentence finds the same groups."""
    matches = match(*read_spans(*tags))
    found = []
    for group in range(len(matches)):
        gold = matches.gold.take(np.arange(*matches.gold_rows[group])).entities()
        predicted = matches.predicted.take(np.arange(*matches.predicted_rows[group])).entities()
        found.append((int(matches.sentence[group]), {("g", e) for e in gold} | {("p", e) for e in predicted}))
    expected = []
    for row, (gold_tags, predicted_tags) in enumerate(zip(*tags, strict=True)):
        open_nodes = [("g", e) for e in tags_to_entities(gold_tags)]
        open_nodes += [("p", e) for e in tags_to_entities(predicted_tags)]
        while open_nodes:
            component = [open_nodes.pop()]
            for node in component:
                near = [n for n in open_nodes if n[1].start < node[1].end and node[1].start < n[1].end]
                open_nodes = [n for n in open_nodes if n not in near]
                component += near
            expected.append((row, set(component)))
    assert len(found) == len(expected)
    assert all(group in expected for group in found)


@MANY
@given(paired_tags())
def test_correct_groups_are_equal_entities(tags: tuple[list, list]) -> None:
    """As many groups are correct as (sentence, span, type) triples occur on both sides."""
    matches = match(*read_spans(*tags))
    pairs = zip(*tags, strict=True)
    same = sum(len(set(tags_to_entities(g)) & set(tags_to_entities(p))) for g, p in pairs)
    assert int((matches.kind == CORRECT).sum()) == same


@MANY
@given(paired_tags())
def test_matching_is_symmetric(tags: tuple[list, list]) -> None:
    """Swapping gold and prediction swaps missed with spurious, cut with extended, split with merged."""
    there, back = match(*read_spans(*tags)), match(*read_spans(*reversed(tags)))
    swap = {"cut": "extended", "extended": "cut", "split": "merged", "merged": "split"}

    def names(matches, mirrored: bool) -> list[tuple[int, str, str]]:  # noqa: ANN001
        rows = []
        for sentence, k, d in zip(matches.sentence, matches.kind, matches.detail, strict=True):
            kind, detail = KINDS[k], DETAILS[d]
            if mirrored:
                kind = {"missed": "spurious", "spurious": "missed"}.get(kind, kind)
                detail = " ".join(swap.get(word, word) for word in detail.split(" "))
                detail = detail.replace("merged and split", "split and merged")
            rows.append((int(sentence), kind, detail))
        return sorted(rows)

    assert names(there, mirrored=False) == names(back, mirrored=True)


@MANY
@given(paired_tags())
def test_partners_are_one_to_one_and_overlap(tags: tuple[list, list]) -> None:
    """No predicted entity answers two gold ones, and an answer shares a word with what it answers."""
    gold, predicted = read_spans(*tags)
    partners = match(gold, predicted).partners()
    answered = np.flatnonzero(partners >= 0)
    assert len(set(partners[answered].tolist())) == len(answered)
    assert (gold.first[answered] < predicted.last[partners[answered]]).all()
    assert (predicted.first[partners[answered]] < gold.last[answered]).all()


def test_the_partner_is_the_one_that_shares_most() -> None:
    """Of two answers to one name the longer overlap is its partner, the other has none."""
    gold, predicted = read_spans([["B-PER", "I-PER", "I-PER"]], [["B-PER", "B-LOC", "I-LOC"]])
    assert match(gold, predicted).partners().tolist() == [1]


def test_tables_of_different_sentences_are_refused() -> None:
    """Matching spans read apart would compare type numbers that mean different things."""
    (gold,), (predicted,) = read_spans([["B-PER"]]), read_spans([["B-LOC"]])
    with pytest.raises(ValueError, match="one call of read_spans"):
        match(gold, predicted)

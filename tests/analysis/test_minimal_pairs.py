"""Minimal pairs: recognised by words, image and gold; each lands in exactly one outcome."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analysis.image_effect.minimal_pairs import FLIPPED_RIGHT, OUTCOMES, find_minimal_pairs, pair_outcomes, pair_table
from tests.analysis.small_run import small_answers

PER, LOC = "B-PER O", "B-LOC O"


@pytest.mark.parametrize(
    ("tags", "outcome"),
    [
        ((PER, LOC), "both right"),
        ((PER, "B-ORG O"), "moved, one right"),
        (("O O", LOC), "moved, one right"),
        (("B-ORG O", "O O"), "moved, none right"),
        ((LOC, PER), "swapped"),
        ((PER, PER), "unmoved, one right"),
        (("O O", "O O"), "unmoved, none right"),
        (("B-PER I-PER", "B-LOC I-LOC"), "moved, none right"),
    ],
)
def test_outcomes(tags: tuple[str, str], outcome: str) -> None:
    """Gold is PER for the first photo and LOC for the second."""
    answers = small_answers([("Jordan runs", PER, tags[0]), ("Jordan runs", LOC, tags[1])])
    assert pair_outcomes(find_minimal_pairs(answers), answers) == [outcome]


TAGS = st.sampled_from(["O O O", "B-PER O O", "B-LOC O O", "B-PER I-PER O", "O B-PER O", "B-LOC O B-PER"])


@settings(max_examples=40, deadline=None)
@given(TAGS, TAGS, TAGS, TAGS)
def test_every_pair_has_one_outcome(gold_a: str, gold_b: str, tags_a: str, tags_b: str) -> None:
    """Whatever is annotated and predicted, two different gold readings make one pair with one outcome."""
    answers = small_answers([("a b c", gold_a, tags_a), ("a b c", gold_b, tags_b)])
    found = pair_outcomes(find_minimal_pairs(answers), answers)
    assert len(found) == (gold_a != gold_b)
    assert set(found) <= set(OUTCOMES)
    if (gold_a, gold_b) == (tags_a, tags_b):
        assert set(found) <= {"both right"}


def test_only_contested_words_count() -> None:
    """An error on a name that both readings share does not make a pair wrong."""
    answers = small_answers(
        [("Jordan met Ann", "B-PER O B-PER", "B-PER O O"), ("Jordan met Ann", "B-LOC O B-PER", "B-LOC O B-ORG")]
    )
    assert pair_outcomes(find_minimal_pairs(answers), answers) == ["both right"]


def test_what_is_no_pair() -> None:
    """Same photo, same gold, other words, another language, or no photo: no pair."""
    rows = [("a b", PER, PER), ("a b", LOC, PER), ("a b", PER, PER), ("x b", LOC, PER), ("a b", LOC, PER)]
    same_photo = small_answers(rows[:2], image_id=["p", "p"])
    assert find_minimal_pairs(same_photo) == []
    assert find_minimal_pairs(small_answers([rows[0], rows[2]])) == []
    assert find_minimal_pairs(small_answers([rows[0], rows[3]])) == []
    assert find_minimal_pairs(small_answers(rows[:2], language=["en", "de"])) == []
    assert find_minimal_pairs(small_answers(rows[:2], image_id=["p", ""])) == []


def test_three_readings_make_three_pairs_but_weigh_as_one_text() -> None:
    """One text with three readings, all right, and one with two, unmoved: half of the texts are right."""
    right = [("Ford a", tags, tags) for tags in (PER, LOC, "B-ORG O")]
    unmoved = [("Jordan a", PER, PER), ("Jordan a", LOC, PER)]
    answers = small_answers(right + unmoved)
    pairs = find_minimal_pairs(answers)
    outcomes = pair_outcomes(pairs, answers)
    assert len(pairs) == 4
    table = pair_table(pairs, outcomes, answers.languages).set_index(["language", "outcome"])
    everything = table.loc["all"]
    assert everything.loc["both right", ["n_pairs", "value", "n"]].tolist() == [3, 0.5, 2]
    assert everything.loc["unmoved, one right", "value"] == 0.5
    assert everything.loc[FLIPPED_RIGHT, "value"] == 0.5
    assert everything.loc[list(OUTCOMES), "value"].sum() == 1
    assert table.index.get_level_values("language").unique().tolist() == ["all", "en"]


def test_no_pairs_no_shares() -> None:
    """Data without minimal pairs yield counts of 0 and no share."""
    table = pair_table([], [], small_answers([("a b", PER, PER)]).languages)
    assert table["n"].eq(0).all()
    assert table["value"].isna().all()

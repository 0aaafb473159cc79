"""Two sets of answers: every item has one outcome, and differences are those of the scores."""

import numpy as np
import pytest
from hypothesis import given

from analysis.scores.bootstrap import f1
from analysis.scores.compare import OUTCOMES, RunComparison, outcome_table
from analysis.scores.metrics import judge
from mmner_core.errors import InputError
from tests.analysis.small_run import small_answers
from tests.analysis.taggings import FEW, paired_tags
from tests.told import refused

WORDS, GOLD = "Ada met Bob", "B-PER O B-PER"


def compare(a: str, b: str) -> RunComparison:
    """Compare two taggings of the one sentence."""
    return RunComparison.build(small_answers([(WORDS, GOLD, a)]), small_answers([(WORDS, GOLD, b)]))


def test_fixed_broken_both() -> None:
    """A finds Ada and calls Bob an ORG; B finds Bob and marks "met"."""
    items = compare("B-PER O B-ORG", "O B-LOC B-PER").items()
    found = items.set_index(["text", "type"])[["role", "outcome"]].astype(str).to_numpy().tolist()
    assert found == [
        ["annotated", "broken"],
        ["false alarm", "broken"],
        ["annotated", "fixed"],
        ["false alarm", "fixed"],
    ]


def test_flips_say_what_each_side_marked() -> None:
    """The list of flips shows both answers at the place, also where they cross its boundary."""
    flips = compare("B-PER O B-ORG", "B-PER I-PER B-PER").flips().set_index(["text", "type"])
    assert flips.loc[("Ada", "PER"), ["a_says", "b_says"]].tolist() == ["PER Ada", "PER Ada met"]
    assert flips.loc[("Bob", "PER"), ["a_says", "b_says"]].tolist() == ["ORG Bob", "PER Bob"]
    assert compare("O O O", "O O B-PER").flips()["a_says"].tolist() == ["nothing"]


@FEW
@given(paired_tags(legal=True), paired_tags(legal=True))
def test_outcomes_add_up_to_both_scores(first: tuple[list, list], second: tuple[list, list]) -> None:
    """Right annotated items of A are its true positives, and each item has exactly one outcome."""
    rows = []
    for (gold, a), b in zip(zip(*first, strict=True), second[1], strict=False):
        b = (b + ["O"] * 9)[: len(gold)]
        rows.append((" ".join(["w"] * len(gold)), " ".join(gold), " ".join(a), " ".join(b)))
    a, b = (small_answers([(r[0], r[1], r[i]) for r in rows], model=False) for i in (2, 3))
    comparison = RunComparison.build(a, b)
    items = comparison.items()
    annotated = items[items["role"] == "annotated"]
    alarms = items[items["role"] == "false alarm"]
    for side, answers, wins in (("a", a, "broken"), ("b", b, "fixed")):
        counts = judge(answers.gold, answers.predicted).counts().sum(axis=0)
        right = annotated["outcome"].isin(["both right", wins]).sum()
        wrong = alarms["outcome"].isin(["both wrong", "fixed" if side == "a" else "broken"]).sum()
        assert [right, right + wrong, len(annotated)] == counts.tolist()
    assert not (alarms["outcome"] == "both right").any()
    assert items["outcome"].notna().all()


def test_differences_per_language_and_type() -> None:
    """B is better by as much as the two scores differ; tiny slices have no interval."""
    rows = [(WORDS, GOLD, "B-PER O O")] * 30
    better = [(WORDS, GOLD, GOLD)] * 30
    languages = ["en"] * 25 + ["de"] * 5
    a, b = (small_answers(r, model=False, language=languages) for r in (rows, better))
    comparison = RunComparison.build(a, b)
    table = comparison.differences().set_index(["language", "type"])
    expected = 1 - float(f1(judge(a.gold, a.predicted).counts().sum(axis=0)))
    assert table.loc[("en", "PER"), ["difference", "low", "high"]].tolist() == pytest.approx([expected] * 3)
    assert table.loc[("en", "PER"), "n_sentences"] == 25
    assert np.isnan(table.loc[("de", "all"), "low"])
    assert comparison.mean_difference().difference == pytest.approx(expected)


def test_only_common_sentences_are_compared() -> None:
    """A condition may lack sentences; order does not matter, and what is left out is counted."""
    rows = [("Ada", "B-PER", "B-PER"), ("Bob", "B-PER", "O"), ("Eve", "B-PER", "O")]
    a = small_answers(rows)
    b = small_answers([("Eve", "B-PER", "B-PER"), ("Bob", "B-PER", "O")], sentence_id=[2, 1])
    comparison = RunComparison.build(a, b)
    assert comparison.left_out == 1
    assert comparison.b.texts() == ["Bob", "Eve"]
    assert comparison.flips()[["sentence_id", "text"]].to_numpy().tolist() == [[2, "Eve"]]


def test_different_data_are_refused() -> None:
    """No common sentence, other words, other gold: the sentence is named."""
    a = small_answers([("Ada", "B-PER", "O"), ("Bob", "O", "O")])
    with pytest.raises(InputError, match="no sentence in common"):
        RunComparison.build(a, small_answers([("Ada", "B-PER", "O")], sentence_id=[9]))
    with refused("Sentence 1", "test.txt:2", "words"):
        RunComparison.build(a, small_answers([("Ada", "B-PER", "O"), ("Rob", "O", "O")]))
    with refused("Sentence 0", "test.txt:1", "gold tags"):
        RunComparison.build(a, small_answers([("Ada", "O", "O"), ("Bob", "O", "O")]))


def test_outcomes_are_counted_per_language() -> None:
    """With an "all" row first, all four outcomes as columns, and zeros where none occurred."""
    table = outcome_table(compare("B-PER O O", "B-PER O B-LOC").items())
    assert table["language"].tolist() == ["all", "all", "en", "en"]
    assert table[list(OUTCOMES)].to_numpy().tolist() == [[1, 0, 0, 1], [0, 0, 1, 0]] * 2

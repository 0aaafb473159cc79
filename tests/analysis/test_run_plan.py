"""A run's conditions: every sentence under matched and none, photos only where there are some, reasons kept."""

from dataclasses import replace
from pathlib import Path

import pytest

from analysis.conditions.conditions import CONDITIONS, CORRUPTED, HIDDEN, REPLACED, STRESSED
from analysis.evaluation.plan import condition_names, plan_run
from analysis.run.evaluation_set import read_evaluation_set
from mmner_core.data import Example
from tests.told import refused

DATA = Path(__file__).parents[1] / "data" / "tiny"


@pytest.fixture(scope="module")
def examples() -> tuple[Example, ...]:
    """Twelve sentences, four of them without a photo."""
    return read_evaluation_set(DATA, split="valid").examples


def test_the_names_asked_for_become_the_conditions() -> None:
    """Nothing asked: the default ones; options add; "all" is all; order is that of the list."""
    assert condition_names((), corruptions=False, hidden=False) == REPLACED
    assert condition_names(("none", "matched"), corruptions=False, hidden=False) == ("matched", "none")
    assert set(condition_names(("blank",), corruptions=True, hidden=True)) == {
        "blank", "matched", "none", *HIDDEN, *CORRUPTED,
    }  # fmt: skip
    assert condition_names(("all",), corruptions=False, hidden=False) == CONDITIONS


def test_changed_words_come_with_the_words_as_they_are() -> None:
    """Without those there would be nothing to compare them with; the option adds all of them."""
    assert condition_names(("typos",), corruptions=False, hidden=False) == ("matched", "none", "typos")
    assert condition_names(("none",), corruptions=False, hidden=False, stress=True) == ("matched", "none", *STRESSED)


def test_words_are_changed_with_and_without_photos(examples: tuple[Example, ...]) -> None:
    """Every sentence takes part with what it has; a model may read text only, and data may have no photo."""
    names = condition_names(("typos",), corruptions=False, hidden=False)
    (typos,) = (p for p in plan_run(examples, names).conditions if p.name == "typos")
    assert typos.stress is not None and typos.skipped == {}
    assert [source.kind for source in typos.sources if source].count("photo") == 8
    plain = tuple(replace(e, image=None) for e in examples)
    for plan in (plan_run(plain, names), plan_run(examples, names, reads_images=False)):
        assert plan.names == ("none", "typos") and plan.main == "none"
        assert {source.kind for p in plan.conditions for source in p.sources if source} == {"none"}


def test_sentences_without_a_photo_take_part_where_none_is_replaced(examples: tuple[Example, ...]) -> None:
    """Matched shows them nothing, as none does; the conditions that replace photos leave them out, with the reason."""
    plan = plan_run(examples, ("matched", "none", "blank"))
    kinds = {p.name: [None if s is None else s.kind for s in p.sources] for p in plan.conditions}
    assert kinds["none"] == ["none"] * 12
    assert kinds["matched"].count("photo") == kinds["blank"].count("blank") == 8
    assert kinds["matched"].count("none") == kinds["blank"].count(None) == 4
    assert plan.skipped() == {"blank": {"the sentence has no photo": 4}}
    assert plan.main == "matched"


def test_what_cannot_be_had_is_left_out_with_its_reason(examples: tuple[Example, ...]) -> None:
    """No irrelevant photos, no such stream, no photo at all, or a checkpoint that reads text only."""
    names = condition_names((), corruptions=False, hidden=True)
    left_out = plan_run(examples, names, streams=("cnn",)).left_out
    assert left_out.keys() == {"irrelevant", "vit_only", "text+vit"}
    assert left_out["vit_only"] == "the model has no stream 'vit' that could be hidden"
    plain = tuple(replace(e, image=None) for e in examples)
    for plan in (plan_run(plain, names), plan_run(examples, names, reads_images=False)):
        assert plan.names == (plan.main,) == ("none",)
        assert "matched" in plan.left_out and "none" not in plan.left_out


def test_what_the_user_named_is_not_left_out_in_silence(examples: tuple[Example, ...]) -> None:
    """A condition that was asked for by name and cannot be had is an error."""
    with refused("'irrelevant'"):
        plan_run(examples, ("matched", "irrelevant"), insist=("irrelevant",))

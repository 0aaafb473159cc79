"""Slices: each one's score is its own F1, and a planted weakness is found and named."""

import numpy as np
import pytest
from hypothesis import given

from analysis.run.lexicon import Lexicon
from analysis.scores.slices import SlicedEntities, describe_conditions, slice_table, worst_slices
from tests.analysis.small_run import small_answers
from tests.analysis.taggings import FEW, paired_tags
from tests.told import refused


def planted(n: int = 400) -> SlicedEntities:
    """German names of two words lose their second word in three of four cases; all else is nearly right."""
    rng = np.random.default_rng(0)
    rows, languages = [], []
    for _ in range(n):
        language, two = rng.choice(["en", "de"]), rng.random() < 0.5
        gold = "B-PER I-PER O" if two else "B-PER O O"
        weak = language == "de" and two and rng.random() < 0.75
        rows.append(("Ada Lovelace wrote", gold, "B-PER O O" if weak else "O O O" if rng.random() < 0.05 else gold))
        languages.append(str(language))
    return SlicedEntities.build(small_answers(rows, model=False, language=languages))


def test_the_planted_weakness_is_found_and_named() -> None:
    """The worst slice is the German two-word name, scored on sentences the tree has not seen."""
    found = worst_slices(planted())
    worst = found[0]
    assert ("language", "de", True) in worst.conditions or ("language", "en", False) in worst.conditions
    assert any(attribute == "entity_length" for attribute, _, _ in worst.conditions)
    assert "length of the name is" in worst.description
    assert worst.score.f1 < 0.4 < 0.8 < found[-1].score.f1
    assert worst.score.interval.low <= worst.score.f1 <= worst.score.interval.high
    assert worst.score.n_sentences == 200
    assert 0.05 < worst.share < 0.5
    assert found == sorted(found, key=lambda s: s.score.f1)


def test_slices_are_scored_on_the_half_not_searched() -> None:
    """Pure chance: the worst slice found does not look worse than the whole beyond its own interval."""
    rng = np.random.default_rng(1)
    rows = [("Ada", "B-PER", rng.choice(["B-PER", "O"])) for _ in range(600)]
    kinds = [str(k) for k in rng.integers(0, 12, 600)]
    sliced = SlicedEntities.build(small_answers(rows, model=False, kind=kinds))
    outside = [s for s in worst_slices(sliced) if not s.score.interval.low <= 2 / 3 <= s.score.interval.high]
    assert len(outside) <= 1


def test_the_leaves_cover_every_entity_once() -> None:
    """Shares of the slices sum to one."""
    assert sum(s.share for s in worst_slices(planted())) == pytest.approx(1.0)


def test_the_search_repeats_itself() -> None:
    """Same seed, same slices."""
    sliced = planted(200)
    assert [s.description for s in worst_slices(sliced, seed=3)] == [
        s.description for s in worst_slices(sliced, seed=3)
    ]


def test_too_few_entities_are_not_searched() -> None:
    """A handful of sentences, or entities that are all alike, yield no slice instead of an error."""
    assert worst_slices(planted(20)) == []
    alike = small_answers([("Ada", "B-PER", "B-PER")] * 200, model=False)
    assert worst_slices(SlicedEntities.build(alike)) == []
    assert worst_slices(SlicedEntities.build(small_answers([("a", "O", "O")], model=False))) == []


def test_every_value_of_every_attribute_is_scored() -> None:
    """Seen and unseen names, with n, and per language where asked for."""
    answers = small_answers([("Ada met Bob", "B-PER O B-PER", "B-PER O O")], model=False)
    sliced = SlicedEntities.build(answers, Lexicon(types={"Ada": frozenset({"PER"})}))
    table = slice_table(sliced, ["seen"], languages=answers.languages).set_index(["value", "language"])
    assert table.loc[("with this label", "all"), "f1"] == 1
    assert table.loc[("never", "en"), ["f1", "n_gold", "n_predicted"]].tolist() == [0, 1, 0]
    assert set(table.index.get_level_values("value")) == {"with this label", "never"}
    assert slice_table(sliced, []).columns[:3].tolist() == ["attribute", "value", "language"]


@FEW
@given(paired_tags())
def test_the_values_of_an_attribute_add_up(tags: tuple[list, list]) -> None:
    """Counts over the values of any attribute sum to the counts of all, orphans left out by the strict rule."""
    rows = [(" ".join(["w"] * len(g)), " ".join(g), " ".join(p)) for g, p in zip(*tags, strict=True)]
    sliced = SlicedEntities.build(small_answers(rows, model=False))
    for attribute in ("type", "entity_length", "density"):
        parts = sum(sliced.counts(attribute, value) for value in sliced.gold[attribute].cat.categories)
        assert (parts == sliced.judged.counts()).all()


def test_rules_without_equal_pairs_are_refused() -> None:
    """Under overlap, a right pair may have two lengths; a slice by length would have no F1."""
    with refused("strict", "lenient", "'overlap'", by=ValueError):
        SlicedEntities.build(small_answers([("a", "O", "O")], model=False), rule="overlap")


def test_descriptions_read_as_sentences() -> None:
    """A column name is never shown; no condition means everything."""
    conditions = (("seen", "never", True), ("language", "de", False))
    assert describe_conditions(conditions) == "seen in training is never; language is not de"
    assert describe_conditions(()) == "all entities"

"""The bars: every class for every language, summing to all entities."""

import numpy as np
from hypothesis import given

from analysis.run.spans import read_spans
from analysis.scores.matching import KINDS, match
from analysis.scores.taxonomy import taxonomy_table
from tests.analysis.taggings import FEW, paired_tags


def test_classes_are_counted_per_language() -> None:
    """One cut name in German, one right in English; what did not happen is a zero, not a gap."""
    spans = read_spans([["B-PER", "I-PER"], ["B-PER"]], [["B-PER", "O"], ["B-PER"]])
    table = taxonomy_table(match(*spans), np.array(["de", "en"], dtype=object)).set_index(["language", "kind"])
    assert table.loc[("de", "boundary"), ["detail", "n_groups", "share"]].tolist() == ["cut right", 1, 1.0]
    assert table.loc[("all", "correct"), ["n_groups", "n_gold", "n_predicted", "share"]].tolist() == [1, 1, 1, 0.5]
    assert table.loc[("en", "missed"), "n_groups"] == 0
    assert list(dict.fromkeys(table.index.get_level_values("language"))) == ["all", "de", "en"]


def test_a_language_without_names_has_no_shares() -> None:
    """Zeros with a missing share instead of a division by zero."""
    table = taxonomy_table(match(*read_spans([["O"]], [["O"]])), np.array(["fr"], dtype=object))
    assert table["kind"].tolist() == [*KINDS, *KINDS]
    assert (table["n_groups"] == 0).all()
    assert table["share"].isna().all()


@FEW
@given(paired_tags())
def test_classes_sum_to_all_entities(tags: tuple[list, list]) -> None:
    """Exhaustive and exclusive in the table as well, per language and over all."""
    gold, predicted = read_spans(*tags)
    languages = np.array(["en" if i % 2 else "de" for i in range(gold.n_sentences)], dtype=object)
    sums = taxonomy_table(match(gold, predicted), languages).groupby("language")[["n_gold", "n_predicted"]].sum()
    assert sums.loc["all"].tolist() == [len(gold), len(predicted)]
    assert sums.drop("all").sum().tolist() == [len(gold), len(predicted)]

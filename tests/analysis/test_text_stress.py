"""What changed words cost: differences to the very same sentences as they stand, and how many were changed at all."""

import pyarrow as pa
import pytest

from analysis.image_effect.modality import modality_table
from analysis.image_effect.text_stress import stress_table
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table

WORDS = "Ada met Bo"
GOLD = "B-PER O B-PER"
LANGUAGES = ["en", "en", "de"]


def run_with(*conditions: str) -> EvaluationRun:
    """Make a run in which small letters hide the second name of the first two sentences; the third has no photo."""
    lower = [[word.lower() for word in WORDS.split()]] * 2 + [WORDS.split()]
    tables = []
    for name in conditions:
        tags = [GOLD] * 3 if name != "lower_case" else ["B-PER O O", "B-PER O O", GOLD]
        shown = lower if name == "lower_case" else [None] * 3
        rows = [(WORDS, GOLD, said) for said in tags]
        columns = {"language": LANGUAGES, "image_id": ["a", "b", ""], "shown_words": shown}
        tables.append(small_table(rows, condition=name, **columns))
    return EvaluationRun.from_table(pa.concat_tables(tables), name="small")


def test_the_cost_is_the_difference_to_the_words_as_they_are() -> None:
    """Over all sentences, with a photo or without; lost and gained are gold entities, changed are sentences."""
    table = stress_table(run_with("matched", "none", "lower_case")).set_index(["language", "type"])
    row = table.loc[("all", "all")]
    assert (row["n_sentences"], row["n_changed"], row["n_gold"], row["lost"], row["gained"]) == (3, 2, 6, 2, 0)
    assert row["f1_clean"] == 1
    assert row["f1"] == pytest.approx(2 * 4 / (4 + 6))
    assert row["difference"] == pytest.approx(row["f1"] - 1)
    german = table.loc[("de", "PER")]
    assert (german["n_changed"], german["lost"], german["difference"]) == (0, 0, 0)


def test_a_model_that_reads_text_alone_is_compared_with_text_alone() -> None:
    """Without the condition "matched" the words as they are stand under "none"."""
    table = stress_table(run_with("none", "lower_case"))
    assert set(table["condition"]) == {"lower_case"} and (table["f1_clean"] == 1).all()


def test_changed_words_are_no_image_condition() -> None:
    """The table of what the image contributes has no row of them."""
    assert set(modality_table(run_with("matched", "none", "lower_case"))["condition"]) == {"matched", "none"}


def test_a_run_without_changed_words_says_how_to_get_them() -> None:
    """In one sentence."""
    with pytest.raises(InputError, match="--stress"):
        stress_table(run_with("matched", "none"))

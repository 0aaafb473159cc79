"""The modality table: scores on common sentences, flips, splits, curves and galleries."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from analysis.image_effect.modality import (
    compare_slice,
    image_effects,
    modality_table,
    pair_conditions,
    severity_curves,
    split_table,
)
from analysis.run.folder import EvaluationRun
from analysis.scores.bootstrap import f1_difference
from mmner_core.errors import InputError
from tests.analysis.small_run import small_table

WORDS = "Jordan met Ann"
# Gold, tags with the photo, tags without: the photo helps sentence 0 twice, hurts 1 once, changes nothing in 2 and 3.
ROWS = [
    ("B-LOC O B-PER", "B-LOC O B-PER", "B-PER O O"),
    ("B-PER O B-PER", "B-LOC O B-PER", "B-PER O B-PER"),
    ("B-PER O B-PER", "B-PER O O", "B-PER O O"),
    ("O O O", "O O O", "O O O"),
]
LANGUAGES = ["en", "en", "de", "de"]


def small_run(repeat: int = 1) -> EvaluationRun:
    """Make a run with and without photos; of the third and fourth condition sentence 0 takes no part."""
    ids = list(range(len(ROWS) * repeat))
    shared = {"sentence_id": ids, "language": LANGUAGES * repeat}
    matched = [(WORDS, gold, seen) for gold, seen, _ in ROWS] * repeat
    unseen = [(WORDS, gold, blind) for gold, _, blind in ROWS] * repeat
    tables = [small_table(matched, condition="matched", **shared), small_table(unseen, condition="none", **shared)]
    part = {name: values[1:] for name, values in shared.items()}
    tables += [small_table(matched[1:], condition=f"blur-{s}", **part) for s in (1, 3)]
    return EvaluationRun.from_table(pa.concat_tables(tables), name="small")


def test_flips_are_counted_per_gold_entity() -> None:
    """Helped, hurt and unchanged add up to the gold entities, and both F1 are those of the sentences compared."""
    paired = pair_conditions(small_run())
    row = compare_slice(paired, np.ones(4, dtype=bool))
    flips = ("helped", "hurt", "unchanged_right", "unchanged_wrong")
    assert [row[name] for name in flips] == [2, 1, 2, 1]
    assert (row["n_sentences"], row["n_gold"], row["rule"]) == (4, 6, "strict")
    assert row["f1"] == pytest.approx(2 * 4 / (5 + 6))
    assert row["f1_baseline"] == pytest.approx(2 * 3 / (4 + 6))
    assert (row["low"], row["high"]) == (None, None)  # four sentences carry no interval


def test_one_type_in_one_language() -> None:
    """A slice counts only its sentences and its type: LOC in English was helped once and predicted twice."""
    row = compare_slice(pair_conditions(small_run()), np.array([True, True, False, False]), "LOC")
    assert (row["n_gold"], row["helped"], row["n_sentences"]) == (1, 1, 2)
    assert row["f1"] == pytest.approx(2 / 3)
    assert row["f1_baseline"] == 0


def test_interval_is_the_paired_bootstrap() -> None:
    """With enough sentences the interval is the paired bootstrap's on the same counts."""
    paired = pair_conditions(small_run(repeat=5))
    row = compare_slice(paired, np.ones(20, dtype=bool), resamples=300, seed=4)
    expected = f1_difference(
        paired.judged_baseline.counts(), paired.judged_condition.counts(), resamples=300, seed=4
    ).interval
    assert expected is not None
    assert (row["low"], row["high"]) == (expected.low, expected.high)


def test_conditions_are_compared_on_common_sentences() -> None:
    """Sentence 0 takes no part under blur, so the baseline of that row is counted without it."""
    table = modality_table(small_run(), resamples=20).set_index(["condition", "language", "type"])
    assert table.loc[("blur-1", "all", "all"), "n_sentences"] == 3
    assert table.loc[("blur-1", "all", "all"), "f1_baseline"] == pytest.approx(2 * 3 / (3 + 4))
    assert table.loc[("none", "all", "all"), "difference"] == 0
    assert set(table.index.get_level_values("language")) == {"all", "en", "de"}


def test_a_type_that_does_not_occur_is_not_scored() -> None:
    """German has no LOC at all: its cells are empty, not zero."""
    table = modality_table(small_run(), resamples=20).set_index(["condition", "language", "type"])
    assert pd.isna(table.loc[("matched", "de", "LOC"), "f1"])
    assert table.loc[("matched", "de", "LOC"), "n_gold"] == 0


def test_severity_curves_start_at_the_photo_as_it_is() -> None:
    """Severity 0 is the matched row, then come the severities that the run has."""
    curves = severity_curves(modality_table(small_run(), resamples=20))
    everything = curves[(curves["language"] == "all") & (curves["type"] == "all")]
    assert everything[["corruption", "severity"]].to_numpy().tolist() == [["blur", 0], ["blur", 1], ["blur", 3]]
    assert everything["condition"].tolist() == ["matched", "blur-1", "blur-3"]
    assert severity_curves(modality_table(small_run(), resamples=20).query("condition == 'none'")).empty


def test_split_by_group_leaves_unnamed_sentences_out() -> None:
    """Groups are scored on their own sentences."""
    groups = np.array(["exact", "irrelevant", "", "exact"], dtype=object)
    table = split_table(pair_conditions(small_run()), groups).set_index("group")
    assert table["n_sentences"].to_dict() == {"exact": 2, "irrelevant": 1}
    assert table["helped"].to_dict() == {"exact": 2, "irrelevant": 0}


def test_image_effects_rank_entities_by_the_change_of_their_probability() -> None:
    """Most helped first, most hurt last, with the words of the entity."""
    effects = image_effects(pair_conditions(small_run()))
    assert len(effects) == 6
    assert effects["change"].is_monotonic_decreasing
    first, last = effects.iloc[0], effects.iloc[-1]
    assert (first["sentence_id"], first["text"], first["type"]) == (0, "Jordan", "LOC")
    assert first["change"] == pytest.approx(0.8)
    assert (last["sentence_id"], last["text"], last["right"], last["right_baseline"]) == (1, "Jordan", False, True)


def test_other_gold_or_a_missing_baseline_is_refused() -> None:
    """A run without the baseline, and one whose conditions have other gold tags, say what is wrong."""
    one = small_table([(WORDS, "B-PER O O", "O O O")], condition="matched")
    other = small_table([(WORDS, "O O B-PER", "O O O")], condition="none")
    with pytest.raises(InputError, match="no image condition 'none'"):
        modality_table(EvaluationRun.from_table(one, name="x"))
    with pytest.raises(InputError, match="differ in their gold tags"):
        modality_table(EvaluationRun.from_table(pa.concat_tables([one, other]), name="x"))


def test_sentences_without_a_photo_say_nothing_about_photos() -> None:
    """In data of which some sentences have no photo, matched is compared with text alone on those that have one."""
    rows = [(WORDS, gold, seen) for gold, seen, _ in ROWS]
    ids = {"image_id": ["photo0", "", "photo2", ""], "image_path": ["photo0.jpg", "", "photo2.jpg", ""]}
    none = {"image_id": [""] * 4, "image_path": [""] * 4}
    tables = [small_table(rows, condition="matched", **ids), small_table(rows, condition="none", **none)]
    run = EvaluationRun.from_table(pa.concat_tables(tables), name="mixed")
    assert pair_conditions(run).condition.sentences["sentence_id"].tolist() == [0, 2]
    assert len(pair_conditions(run, "none")) == 4

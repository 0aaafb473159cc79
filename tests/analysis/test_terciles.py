"""A sentence is in one third by image-text cosine, whichever view asks."""

import numpy as np
import pandas as pd
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from analysis.image_effect.modality import pair_conditions, split_table
from analysis.panels import modality as panels
from analysis.run.folder import EvaluationRun
from analysis.scores.attributes import attribute_table, sentence_attributes
from analysis.scores.terciles import TERCILES, cosine_terciles
from analysis.views.research.library import DEMO_RUNS
from tests.analysis.small_run import small_answers, small_table
from tests.analysis.taggings import FEW

NO_NAME = ("x", "O", "O")


def test_thirds_are_of_equal_size_within_each_language() -> None:
    """Low, middle and high are made per language, however low all of its cosines are; no cosine, no third."""
    cosine = [0.1, 0.9, 0.5, None, 0.11, 0.12, 0.13, -0.2, -0.1]
    answers = small_answers([NO_NAME] * 9, language=["en"] * 4 + ["de"] * 5, cosine=cosine)
    thirds = ["low", "high", "middle", "", "middle", "middle", "high", "low", "low"]
    assert cosine_terciles(answers).tolist() == thirds


def test_equal_cosines_share_a_third() -> None:
    """The order of the file decides nothing."""
    answers = small_answers([NO_NAME] * 6, cosine=[0.3, 0.3, 0.3, 0.3, 0.1, 0.9])
    assert cosine_terciles(answers).tolist() == ["middle"] * 4 + ["low", "high"]


def test_without_a_model_there_is_no_third() -> None:
    """Another system's output has no cosines; the split says so, the slices call it by that name."""
    tables = [small_table([NO_NAME], model=False, condition=condition) for condition in ("matched", "none")]
    run = EvaluationRun.from_table(pa.concat_tables(tables), name="theirs")
    assert cosine_terciles(run.answers("matched")).tolist() == [""]
    assert sentence_attributes(run.answers("matched"))["cosine_tercile"].tolist() == ["no cosine"]
    assert "holds no cosine" in panels.terciles(run).notes[0]


@FEW
@given(
    cosine=st.lists(st.none() | st.sampled_from([-0.2, 0.1]) | st.floats(-1, 1), min_size=1, max_size=7), data=st.data()
)
def test_every_view_puts_a_sentence_into_the_same_third(cosine: list[float | None], data: st.DataObject) -> None:
    """The slices of the Errors tab and the Modality tab's split, on sentences told apart by their numbers of names.

    Those that took no part without the photo are missing in the comparison, but move no other sentence.
    """
    n = len(cosine)
    languages = data.draw(st.lists(st.sampled_from(["en", "de"]), min_size=n, max_size=n))
    compared = data.draw(st.lists(st.booleans(), min_size=n, max_size=n).filter(any))
    rows = [(" ".join("x" * 2**i), " ".join(["B-PER"] * 2**i), " ".join("O" * 2**i)) for i in range(n)]
    matched = small_table(rows, language=languages, cosine=cosine)
    none = small_table(rows, language=languages, condition="none").filter(pa.array(compared))
    run = EvaluationRun.from_table(pa.concat_tables([matched, none]), name="made")
    paired = pair_conditions(run)
    split = split_table(paired, paired.terciles, resamples=2)

    slices = sentence_attributes(run.answers("matched"))["cosine_tercile"].astype(object)
    names = np.where(compared, 2 ** np.arange(n), 0)
    expected = {third: int(names[slices == f"{third} cosine"].sum()) for third in TERCILES}
    shown = dict(zip(split["group"], split.get("n_gold", []), strict=True))
    assert {third: shown.get(third, 0) for third in TERCILES} == expected


def test_the_demo_run_s_stored_split_is_that_of_its_slices() -> None:
    """What was stored when the run was written counts the sentences and names that the Errors tab counts now."""
    run = EvaluationRun.open(DEMO_RUNS / "demo")
    assert "modality_by_cosine" in run.metrics
    shown = panels.terciles(run).table.set_index("group")
    answers = run.answers("matched")
    for column, third_of in (
        ("n_sentences", sentence_attributes(answers)["cosine_tercile"]),
        ("n_gold", attribute_table(answers, answers.gold)["cosine_tercile"]),
    ):
        counted = pd.Series(third_of.astype(object)).value_counts()
        assert [shown.loc[f"{third} third", column] for third in TERCILES] == [
            counted[f"{third} cosine"] for third in TERCILES
        ]

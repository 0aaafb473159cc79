"""The confusion matrix counts every entity once and leads back to its sentences."""

import numpy as np
from hypothesis import given

from analysis.scores.confusion import Confusion, difference
from analysis.scores.metrics import judge
from tests.analysis.small_run import small_answers
from tests.analysis.taggings import FEW, paired_tags

ROWS = [
    ("Ada met Bob", "B-PER O B-PER", "B-PER O B-ORG"),
    ("New York today", "B-LOC I-LOC O", "B-LOC O B-ORG"),
    ("quiet here", "B-LOC O", "O O"),
]
LANGUAGES = ["en", "en", "de"]


def build(reading: str = "overlap") -> Confusion:
    """Build the matrix of the three sentences above."""
    return Confusion.build(small_answers(ROWS, language=LANGUAGES), reading)


def test_types_missed_and_spurious() -> None:
    """A wrong type, a cut name on the diagonal, a made-up one and a missed one."""
    counts = build().counts()
    assert counts.loc["PER"].to_dict() == {"PER": 1, "LOC": 0, "ORG": 1, "missed": 0}
    assert counts.loc["LOC"].to_dict() == {"PER": 0, "LOC": 1, "ORG": 0, "missed": 1}
    assert counts.loc["spurious"].to_dict() == {"PER": 0, "LOC": 0, "ORG": 1, "missed": 0}


def test_exact_reading_moves_boundary_errors_to_the_margins() -> None:
    """The cut name becomes one missed and one spurious."""
    counts = build("exact").counts()
    assert (counts.loc["LOC", "LOC"], counts.loc["LOC", "missed"], counts.loc["spurious", "LOC"]) == (0, 2, 1)


def test_a_cell_leads_to_its_sentences() -> None:
    """Sentence and both entities, per language too."""
    confusion = build()
    cell = confusion.entities("PER", "ORG")
    assert cell[["sentence_id", "gold", "predicted"]].to_numpy().tolist() == [[0, 1, 1]]
    assert confusion.entities("LOC", "missed", "de")["sentence_id"].tolist() == [2]
    assert confusion.entities("LOC", "missed", "en").empty
    assert confusion.entities("spurious", "ORG")["gold"].tolist() == [-1]


def test_empty_rows_have_no_shares() -> None:
    """No gold entity of a type: not 0 %, but nothing to say."""
    shares = build().shares("de")
    assert shares.loc["LOC", "missed"] == 1
    assert shares.loc["PER"].isna().all()
    assert build().shares().loc["PER", "ORG"] == 0.5


def test_differences_compare_shares() -> None:
    """English minus German, and a type that one of two runs lacks."""
    confusion = build()
    gap = difference(confusion.counts("de"), confusion.counts("en"))
    assert gap.loc["LOC", "missed"] == 1
    assert np.isnan(gap.loc["PER", "PER"])
    other = Confusion.build(small_answers([("Ada", "B-PER", "B-OTHER")])).counts()
    assert difference(other, confusion.counts()).columns.tolist() == ["PER", "LOC", "ORG", "OTHER", "missed"]
    assert difference(other, confusion.counts()).loc["PER", "OTHER"] == 1


@FEW
@given(paired_tags())
def test_every_entity_is_counted_once(tags: tuple[list, list]) -> None:
    """Rows of gold types sum to the gold entities, columns of types to the predicted ones; per language as a whole."""
    rows = [(" ".join(["w"] * len(g)), " ".join(g), " ".join(p)) for g, p in zip(*tags, strict=True)]
    languages = ["en" if i % 2 else "de" for i in range(len(rows))]
    answers = small_answers(rows, model=False, language=languages)
    for reading in ("overlap", "exact"):
        confusion = Confusion.build(answers, reading)
        counts = confusion.counts()
        types = list(confusion.types)
        gold = np.bincount(answers.gold.type, minlength=len(types))
        predicted = np.bincount(answers.predicted.type, minlength=len(types))
        assert counts.loc[types].sum(axis=1).tolist() == gold.tolist()
        assert counts[types].sum(axis=0).tolist() == predicted.tolist()
        assert counts.loc["spurious", "missed"] == 0
        assert (confusion.counts("en") + confusion.counts("de") == counts).all(axis=None)
        rule = "overlap" if reading == "overlap" else "lenient"
        right = judge(answers.gold, answers.predicted, rule).counts()[:, 0].sum()
        assert np.trace(counts.loc[types, types].to_numpy()) == right

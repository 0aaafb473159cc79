"""The failure table: a row per error that tells the whole story, with or without a model."""

import pandas as pd
from hypothesis import given

from analysis.run.lexicon import Lexicon
from analysis.scores.failures import failure_table
from analysis.scores.matching import match
from tests.analysis.small_run import small_answers
from tests.analysis.taggings import FEW, paired_tags

ROWS = [
    ("Ada met Bob", "B-PER O B-PER", "B-PER O B-ORG"),
    ("all right here", "O O O", "O O O"),
    ("quiet Rome", "O B-LOC", "O O"),
    ("in New York", "O B-LOC I-LOC", "B-ORG B-LOC B-PER"),
]


def test_a_row_tells_the_whole_story() -> None:
    """Class, both sides, sentence with brackets, and the model's numbers."""
    lexicon = Lexicon(types={"Bob": frozenset({"LOC"})})
    row = failure_table(small_answers(ROWS), lexicon=lexicon).iloc[0]
    assert row[["sentence_id", "where", "error", "seen"]].tolist() == [
        0,
        "test.txt:1",
        "wrong type",
        "with another label",
    ]
    assert row[["gold_type", "gold_text", "gold_start", "gold_end"]].tolist() == ["PER", "Bob", 2, 3]
    assert row[["predicted_type", "predicted_text"]].tolist() == ["ORG", "Bob"]
    assert row["gold_line"] == "[PER Ada] met [PER Bob]"
    assert row["predicted_line"] == "[PER Ada] met [ORG Bob]"
    assert row[["span_probability", "gold_probability", "loss"]].round(3).tolist() == [0.9, 0.1, 0]
    assert row[["image_text_cosine", "attention_entropy", "image_id"]].tolist() == [0.5, 1.0, "photo0"]


def test_missed_split_and_spurious() -> None:
    """A missed name has no prediction, a spurious one no gold, a split one several predictions."""
    table = failure_table(small_answers(ROWS))
    assert table["error"].tolist() == ["wrong type", "missed", "spurious", "boundary and type"]
    missed, spurious, split = (table.iloc[i] for i in (1, 2, 3))
    assert (missed["predicted_text"], missed["predicted_type"]) == ("", "")
    assert pd.isna(missed["predicted_start"])
    assert pd.isna(missed["span_probability"])
    assert (spurious["gold_text"], spurious["predicted_text"]) == ("", "in")
    assert split[["detail", "predicted_type", "predicted_text"]].tolist() == ["split", "LOC | PER", "New | York"]
    assert (split["predicted_start"], split["predicted_end"]) == (1, 3)


def test_what_the_answer_becomes_without_the_image() -> None:
    """Unchanged, right, nothing, or something else; a sentence not run without image is not known."""
    rows = [ROWS[0], ROWS[2], *[("big Jordan", "O B-LOC", "O B-PER")] * 4]
    blind = ["B-PER O O", "O B-LOC", "O B-PER", "O B-LOC", "B-ORG I-ORG"]
    without = small_answers([(w, g, b) for (w, g, _), b in zip(rows, blind, strict=False)], condition="none")
    table = failure_table(small_answers(rows), without=without)
    expected = ["nothing", "right", "unchanged", "right", "ORG big Jordan", None]
    assert table["without_image"].astype(object).where(table["without_image"].notna(), None).tolist() == expected


def test_tags_alone_leave_the_model_columns_empty() -> None:
    """Same columns, missing values."""
    bare, full = failure_table(small_answers(ROWS, model=False)), failure_table(small_answers(ROWS))
    assert list(bare.columns) == list(full.columns)
    unknown = ["span_probability", "gold_probability", "loss", "image_text_cosine", "attention_entropy"]
    assert bare[[*unknown, "without_image", "seen"]].isna().all(axis=None)


def test_no_error_is_an_empty_table() -> None:
    """All right: no row, all columns."""
    table = failure_table(small_answers([ROWS[1]]))
    assert (len(table), "without_image" in table) == (0, True)


@FEW
@given(paired_tags())
def test_every_wrong_entity_is_in_one_row(tags: tuple[list, list]) -> None:
    """Names in the table plus the correct ones are all names, on both sides."""
    rows = [(" ".join(f"w{i}" for i in range(len(g))), " ".join(g), " ".join(p)) for g, p in zip(*tags, strict=True)]
    answers = small_answers(rows, model=False)
    table = failure_table(answers)
    n_correct = int((match(answers.gold, answers.predicted).kind == 0).sum())
    for side, spans in (("gold", answers.gold), ("predicted", answers.predicted)):
        n_listed = sum(len(cell.split(" | ")) for cell in table[f"{side}_text"] if cell)
        assert n_listed + n_correct == len(spans)

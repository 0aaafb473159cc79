"""A predictions table that breaks the contract is refused in one sentence that names the place."""

import pyarrow as pa
import pytest

from analysis.run.answers import Answers
from analysis.run.schema import MODEL_COLUMNS, SCHEMA, checked
from mmner_core.errors import InputError
from tests.analysis.small_run import small_answers, small_table
from tests.told import refused

ROWS = [("Ada met Bob", "B-PER O B-PER", "B-PER O B-ORG"), ("nothing here", "O O", "O O")]


def test_a_good_table_comes_back_in_the_schema_s_order() -> None:
    """Column order and extra columns do not matter; types are brought to the schema's."""
    table = small_table(ROWS)
    shuffled = table.select(table.column_names[::-1]).append_column("extra", pa.array([1, 2]))
    # Only changed words have that column, so runs of version 1 and imported ones lack it.
    assert checked(shuffled, "t").schema.names == [name for name in SCHEMA.names if name != "shown_words"]
    assert checked(shuffled, "t").equals(table)


BROKEN = {
    "lacks the column 'gold'": {"drop": "gold"},
    "sentence 1 .* 2 words and 1 entries in 'tags'": {"tags": [["B-PER", "O", "B-ORG"], ["O"]]},
    "sentence 0 occurs 2 times": {"sentence_id": [0, 0]},
    "column 'language' has an empty cell": {"language": ["en", None]},
    "column 'words' has an empty cell": {"words": [["Ada", None, "Bob"], ["nothing", "here"]]},
}


@pytest.mark.parametrize(("message", "change"), BROKEN.items())
def test_each_breach_is_named(message: str, change: dict) -> None:
    """Missing column, unequal lists, repeated sentence, empty cells."""
    table = small_table(ROWS, **{k: v for k, v in change.items() if k != "drop"})
    if "drop" in change:
        table = table.drop_columns(change["drop"])
    with pytest.raises(InputError, match=message):
        checked(table, "run/predictions.parquet")


def test_a_column_of_another_type_is_refused() -> None:
    """The message names both types."""
    table = small_table(ROWS)
    column = table.schema.get_field_index("loss")
    with refused("'loss'", "float"):
        checked(table.set_column(column, "loss", pa.array([[1.0], [2.0]])), "t")


def test_model_columns_are_read_per_entity() -> None:
    """Confidences, runner-up, entropy per predicted entity, the gold ones per gold entity, the rest per sentence."""
    answers = small_answers(ROWS)
    assert answers.confidence.tolist() == pytest.approx([0.9, 0.9])
    assert answers.runner_up.tolist() == ["MISC", "MISC"]
    assert answers.gold_confidence.tolist() == pytest.approx([0.9, 0.1])
    assert answers.loss.tolist() == [0, 1]
    assert answers.texts() == ["Ada met Bob", "nothing here"]
    assert answers.sentences["n_words"].tolist() == [3, 2]


def test_model_columns_may_all_be_missing() -> None:
    """Another system's output has words and tags only; asking for more says why it cannot be had."""
    answers = small_answers(ROWS, model=False)
    assert answers.confidence is None
    assert answers.loss is None
    with refused("gold confidence"):
        answers.require("gold_confidence")


def test_a_sentence_without_image_has_no_entropy() -> None:
    """A null cell is a missing value for its entities and leaves the others in place."""
    rows = [ROWS[1], ROWS[0], ("Eve", "O", "B-PER")]
    answers = small_answers(rows, attention_entropy=[[], None, [2.0]], cosine=[None, 0.5, 0.25])
    assert answers.attention_entropy[2] == 2.0
    assert str(answers.attention_entropy[:2]) == "[nan nan]"
    assert str(answers.cosine) == "[ nan 0.5  0.25]"


def test_entities_must_be_those_of_the_tags() -> None:
    """Probabilities that belong to other spans are not shown next to these."""
    table = small_table(ROWS)
    tags = pa.array([["B-ORG", "O", "B-ORG"], ["O", "O"]])
    table = table.set_column(table.schema.get_field_index("tags"), "tags", tags)
    with refused("'tags'"):
        Answers.from_table(table)
    with refused("sentence 0", "2 entities", "1 entries", "'gold_span_confidence'"):
        small_answers(ROWS, gold_span_confidence=[[0.5], []])
    for wrong, shown in ((float("nan"), "nan"), (1.5, "1.5"), (-0.25, "-0.25")):
        with refused(shown, "probability"):
            small_answers(ROWS, gold_span_confidence=[[0.5, wrong], []])


def test_taking_sentences_keeps_their_numbers_together() -> None:
    """Chosen rows bring their own words, entities and losses, in the order asked for."""
    answers = small_answers(ROWS)
    turned = answers.take(pa.array([1, 0]).to_numpy())
    assert turned.loss.tolist() == [1, 0]
    assert turned.words_of(1) == ["Ada", "met", "Bob"]
    assert turned.gold.sentence.tolist() == [1, 1]
    assert len(answers.take(answers.loss > 5)) == 0


def test_two_conditions_at_once_are_refused() -> None:
    """Counting a sentence under two images would count it twice."""
    table = pa.concat_tables([small_table(ROWS), small_table(ROWS, condition="none")])
    with refused("'matched'", "'none'"):
        Answers.from_table(table)


def test_model_columns_are_the_starred_ones() -> None:
    """Every starred column of the docstring is optional and no other is."""
    import analysis.run.schema

    lines = analysis.run.schema.__doc__.splitlines()
    starred = [line.split()[0] for line in lines if "  *" in line and line[0].isalpha()]
    assert tuple(starred) == MODEL_COLUMNS

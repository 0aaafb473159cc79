"""Tags read into columns are the entities that the labels module reads one sentence at a time."""

import numpy as np
import pyarrow as pa
from hypothesis import given

from analysis.run.spans import exact_pairs, order_types, read_spans
from mmner_core.labels import repair, tags_to_entities
from tests.analysis.taggings import MANY, paired_tags
from tests.told import refused


@MANY
@given(paired_tags())
def test_columns_equal_the_sentence_reader(tags: tuple[list, list]) -> None:
    """Every sentence yields what tags_to_entities yields, and orphans are those repair changes."""
    for column, spans in zip(tags, read_spans(*tags), strict=True):
        bounds = spans.bounds()
        for row, sentence in enumerate(column):
            mine = slice(bounds[row], bounds[row + 1])
            assert spans.take(np.arange(len(spans))[mine]).entities() == tags_to_entities(sentence)
            legal, _ = repair(sentence)
            starts = spans.start[mine].tolist()
            assert spans.orphan[mine].tolist() == [legal[i] != sentence[i] for i in starts]


def test_empty_sentences_and_no_sentences_are_read() -> None:
    """A sentence without words takes a row and no entity; no sentence at all is an empty table."""
    (spans,) = read_spans([[], ["B-PER"], [], ["O", "B-LOC", "I-LOC"], []])
    assert spans.sentence.tolist() == [1, 3]
    assert spans.end.tolist() == [1, 3]
    (nothing,) = read_spans([])
    assert (len(nothing), nothing.n_sentences, nothing.types) == (0, 0, ())
    assert nothing.type_names().tolist() == []


def test_arrow_columns_are_read_as_they_are() -> None:
    """A chunked Arrow column gives the same entities as Python lists."""
    rows = [["B-PER", "O"], ["O"], ["I-ORG", "I-ORG"]]
    chunked = pa.chunked_array([pa.array(rows[:1]), pa.array(rows[1:])])
    from_arrow, from_lists = read_spans(chunked, rows)
    assert from_arrow.entities() == from_lists.entities()


def test_text_of_an_entity_is_its_words() -> None:
    """Surface forms come from the words of all sentences in one array."""
    (spans,) = read_spans([["O", "B-LOC", "I-LOC"], ["B-PER"]])
    words = np.array(["in", "New", "York", "Ada"], dtype=object)
    assert spans.texts(words) == ["New York", "Ada"]
    assert spans.type_names().tolist() == ["LOC", "PER"]


def test_types_keep_the_order_of_every_table() -> None:
    """PER, LOC, ORG, MISC come first whatever order they occur in; others follow by name."""
    assert order_types(["OTHER", "ORG", "Animal", "PER"]) == ("PER", "ORG", "Animal", "OTHER")


def test_exact_pairs_ignore_the_type() -> None:
    """Only the span has to agree."""
    gold, predicted = read_spans([["B-PER", "O", "B-LOC", "I-LOC"]], [["B-ORG", "O", "B-LOC", "O"]])
    rows, others = exact_pairs(gold, predicted)
    assert (rows.tolist(), others.tolist()) == ([0], [0])


def test_disagreeing_columns_are_refused() -> None:
    """The sentence with too few predicted tags is named."""
    with refused("Sentence 2", "2 gold", "1 predicted"):
        read_spans([["O"], ["O", "O"]], [["O"], ["O"]])
    with refused("1 sentences", "2"):
        read_spans([["O"]], [["O"], ["O"]])
    with refused("'PER'", "IOB2"):
        read_spans([["PER"]])

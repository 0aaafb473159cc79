"""Entities in plain text."""

import numpy as np
import pyarrow as pa
from hypothesis import given

from analysis.run.spans import read_spans
from analysis.run.wording import bracketed, touching
from tests.analysis.taggings import FEW, paired_tags


def test_a_sentence_with_its_entities_in_brackets() -> None:
    """Neighbouring entities, at both ends."""
    words = pa.array([["Ada", "Bob", "visit", "New", "York"], [], ["Ada", "Bob"]])
    (spans,) = read_spans([["B-PER", "B-PER", "O", "B-LOC", "I-LOC"], [], ["O", "O"]])
    assert bracketed(words, spans).to_pylist() == ["[PER Ada] [PER Bob] visit [LOC New York]", "", "Ada Bob"]
    assert words[0].as_py()[0] == "Ada"


@FEW
@given(paired_tags())
def test_touching_entities_share_a_word(tags: tuple[list, list]) -> None:
    """Against a set of word numbers, for every place of every sentence."""
    spans, _ = read_spans(*tags)
    bounds, entities = spans.bounds(), spans.entities()
    for row, sentence in enumerate(tags[0]):
        for start in range(len(sentence)):
            end = min(start + 3, len(sentence))
            place = set(range(start, end))
            expected = [
                i for i in range(bounds[row], bounds[row + 1]) if place & set(range(entities[i].start, entities[i].end))
            ]
            found = touching(spans, *(np.array([number]) for number in (row, start, end)))
            assert list(range(*found[0])) == expected

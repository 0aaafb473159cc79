"""Entities in plain text."""

from hypothesis import given

from analysis.spans import read_spans
from analysis.wording import bracketed, touching
from mmner_core.labels import tags_to_entities
from tests.analysis.taggings import FEW, paired_tags


def test_a_sentence_with_its_entities_in_brackets() -> None:
    """Neighbouring entities, at both ends."""
    words = ["Ada", "Bob", "visit", "New", "York"]
    entities = tags_to_entities(["B-PER", "B-PER", "O", "B-LOC", "I-LOC"])
    assert bracketed(words, entities) == "[PER Ada] [PER Bob] visit [LOC New York]"
    assert bracketed(words, []) == "Ada Bob visit New York"
    assert bracketed([], []) == ""


@FEW
@given(paired_tags())
def test_touching_entities_share_a_word(tags: tuple[list, list]) -> None:
    """Against a set of word numbers, for every place of every sentence."""
    spans, _ = read_spans(*tags)
    bounds, entities = spans.bounds(), spans.entities()
    for row, sentence in enumerate(tags[0]):
        for start in range(len(sentence)):
            place = set(range(start, min(start + 3, len(sentence))))
            expected = [
                i for i in range(bounds[row], bounds[row + 1]) if place & set(range(entities[i].start, entities[i].end))
            ]
            assert touching(spans, bounds, row, start, start + 3) == expected

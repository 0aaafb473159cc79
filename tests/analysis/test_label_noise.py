"""Label-noise candidates: firm disagreement first, agreement never."""

import pytest

from analysis.scores.label_noise import noise_candidates
from mmner_core.errors import InputError
from tests.analysis.small_run import small_answers

ROWS = [
    ("Ada met Bob", "B-PER O B-PER", "B-PER O B-ORG"),
    ("quiet Rome", "O B-LOC", "O O"),
    ("in Paris", "O O", "O B-LOC"),
    ("New York", "B-LOC I-LOC", "B-LOC B-PER"),
]


def entity(start: int, end: int, entity_type: str, confidence: float) -> dict:
    """Write an entity as the run has it."""
    return {"start": start, "end": end, "type": entity_type, "confidence": confidence} | {
        "runner_up_type": "MISC",
        "runner_up_confidence": 0.0,
    }


def test_firm_disagreement_comes_first() -> None:
    """Each class by its own rule; what the model finds right is not listed."""
    answers = small_answers(
        ROWS,
        entities=[
            [entity(0, 1, "PER", 0.9), entity(2, 3, "ORG", 0.8)],
            [],
            [entity(1, 2, "LOC", 0.95)],
            [entity(0, 1, "LOC", 0.7), entity(1, 2, "PER", 0.6)],
        ],
        gold_span_confidence=[[0.9, 0.1], [0.3], [], [0.25]],
    )
    table = noise_candidates(answers, min_score=0.0)
    assert table["class"].tolist() == ["spurious", "wrong type", "missed", "boundary and type"]
    assert table["score"].tolist() == pytest.approx([0.95**2, 0.8 * 0.9, 0.7**2, 0.6 * 0.75])
    assert table["gold"].tolist() == ["nothing", "PER Bob", "LOC Rome", "LOC New York"]
    assert table["predicted"].tolist() == ["LOC Paris", "ORG Bob", "nothing", "LOC New | PER York"]
    assert table["where"][0] == "test.txt:3"


def test_only_the_firmest_are_listed() -> None:
    """By score or by number; agreement alone yields an empty table with all columns."""
    answers = small_answers(ROWS)
    assert (noise_candidates(answers, min_score=0.75)["score"] >= 0.75).all()
    assert len(noise_candidates(answers, min_score=0.0, limit=2)) == 2
    agreed = noise_candidates(small_answers([("Ada", "B-PER", "B-PER")]), min_score=0.0)
    assert (len(agreed), "score" in agreed) == (0, True)


def test_tags_alone_are_not_enough() -> None:
    """Another system's output holds no probabilities."""
    with pytest.raises(InputError, match="holds no confidence"):
        noise_candidates(small_answers(ROWS, model=False))

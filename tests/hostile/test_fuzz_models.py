"""Whatever a model of one's own answers is either usable or refused with a reason; nothing else comes of it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from analysis.own_model import Answer, Item
from analysis.own_model.checked import BadAnswer, check_answers
from analysis.own_model.probability import described_entities, entity_probability, gold_loss
from mmner_core.labels import Entity

ITEM = Item(("Ann", "sleeps"))
TAGS = st.sampled_from(["O", "B-PER", "I-PER", "B-LOC", "I-LOC", "X", "", "B-", "B-\ud800", "B-a b"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4) | TAGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TAGS, inner, max_size=3),
    max_leaves=8,
)
PROBABILITY = st.floats(-0.1, 1.1) | st.just(10**400)
WORDS = st.lists(PROBABILITY | st.dictionaries(TAGS, PROBABILITY, max_size=3), min_size=2, max_size=2)
NUMBERS = st.floats(width=32) | st.sampled_from([1e-45, 3e38, 10**400, "1", None])
ARRAYS = st.none() | st.lists(NUMBERS, max_size=3) | st.lists(st.lists(NUMBERS, max_size=3), max_size=3) | ANYTHING
ANSWERS = st.builds(
    Answer,
    tags=st.lists(TAGS, min_size=2, max_size=2) | ANYTHING,
    probabilities=st.none() | WORDS | ANYTHING,
    maps=ARRAYS,
    text_vector=ARRAYS,
    image_vector=ARRAYS,
    word_vectors=ARRAYS,
)


@given(st.lists(ANSWERS, min_size=1, max_size=1) | ANYTHING)
def test_an_answer_is_usable_or_refused(answers: object) -> None:
    """What is usable has probabilities from 0 to 1, finite vectors, and tags that can be written to a file."""
    try:
        [checked] = check_answers(answers, [ITEM])
    except BadAnswer as problem:
        assert problem.what
        return
    "".join(checked.tags).encode()
    assert len(checked.tags) == 2
    for entity in (Entity(0, 1, "PER"), Entity(0, 2, "LOC"), Entity(1, 2, "PER")):
        assert 0 <= entity_probability(checked, entity) <= 1
    assert all(0 <= entity["confidence"] <= 1 for entity in described_entities(checked) or ())
    loss = gold_loss(checked, ["B-PER", "O"])
    assert loss is None or 0 <= loss < 100
    for vector in (checked.text_vector, checked.image_vector):
        assert vector is None or abs(np.linalg.norm(vector) - 1) < 1e-3

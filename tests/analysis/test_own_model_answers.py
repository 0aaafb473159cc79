"""What a model of one's own may answer, what is refused with a reason, and how probable that makes an entity."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
import pytest
from PIL import Image

from analysis.heat_maps.own_model_maps import cover, on_grid
from analysis.own_model import Answer, Item
from analysis.own_model.checked import BadAnswer, check_answers
from analysis.own_model.probability import described_entities, entity_probability, gold_loss
from mmner_core.data.type_names import TypeNames
from mmner_core.labels import Entity, tags_to_entities

ITEM = Item(("Ann", "Lee", "sleeps"), Image.new("RGB", (8, 8)), "en")
TAGS = ["B-PER", "I-PER", "O"]


@pytest.mark.parametrize("answer", [TAGS, tuple(TAGS), Answer(tags=TAGS), Answer(tags=np.array(TAGS))])
def test_tags_alone_are_an_answer(answer: Any) -> None:
    """As a list, in an answer, or in an array."""
    [checked] = check_answers([answer], [ITEM])
    assert checked.tags == tuple(TAGS) and checked.parts(image=True) == {}
    assert described_entities(checked) is None
    assert [entity_probability(checked, Entity(0, end, "PER")) for end in (1, 2)] == [0.0, 1.0]


@pytest.mark.parametrize(
    ("answers", "reason"),
    [
        (None, "nothing"),
        ([], "0 answers for 1 items"),
        ([TAGS, TAGS], "more answers for 1 items"),
        (["O"], "a value of type str, which has no tags"),
        ([Answer(tags="OOO")], "a value of type str instead of one tag per word"),
        ([["O"]], "1 tags for 3 words"),
        ([["O"] * 4], "more than 3 tags"),
        ([["O", "PER", "O"]], "the tag 'PER'"),
        ([["O", None, "O"]], "the tag None"),
        ([["O", f"B-{'X' * 200}", "O"]], "the tag 'B-XXX"),
        ([Answer(tags=TAGS, probabilities=[0.5])], "another number than its 3 words"),
        ([Answer(tags=TAGS, probabilities=[0.5, 1.5, 1.0])], "1.5 as a probability"),
        ([Answer(tags=TAGS, probabilities=[0.5, float("nan"), 1.0])], "nan as a probability"),
        ([Answer(tags=TAGS, probabilities=[0.5, "much", 1.0])], "'much' as a probability"),
        ([Answer(tags=TAGS, probabilities=[{"B-PER": 0.9, "O": 0.2}] * 3)], "add up to 1.100"),
        ([Answer(tags=TAGS, probabilities=[{"PER": 0.9}] * 3)], "to the tag 'PER'"),
        ([Answer(tags=TAGS, probabilities=[{"O": 0.9}, 0.5, 0.5])], "0.5 for word 2"),
        ([Answer(tags=TAGS, maps=[])], "its 1 entities"),
        ([Answer(tags=TAGS, maps=[[0.5, 0.5]])], "a map of shape [2]"),
        ([Answer(tags=TAGS, maps=[[[0.5], [0.5, 0.1]]])], "a map that is no array of numbers"),
        ([Answer(tags=TAGS, maps=[np.full((2, 2), np.inf)])], "not finite"),
        ([Answer(tags=TAGS, maps=[np.zeros((2, 300))])], "at most 256 rows"),
        ([Answer(tags=TAGS, text_vector=[0.0, 0.0])], "a text_vector of zeros"),
        ([Answer(tags=TAGS, text_vector=[1.0], image_vector=[1.0, 2.0])], "lie in one space"),
        ([Answer(tags=TAGS, word_vectors=[[1.0]])], "1 word_vectors for 3 words"),
    ],
)  # fmt: skip
def test_nonsense_is_refused_with_the_reason(answers: Any, reason: str) -> None:
    """Whatever the model returns; an answer that is at fault is named by its place."""
    with pytest.raises(BadAnswer) as refusal:
        check_answers(answers, [ITEM])
    assert reason in refusal.value.what
    assert refusal.value.place == (0 if isinstance(answers, list) and len(answers) == 1 else None)


def test_maps_and_image_vectors_of_an_item_without_image_are_not_taken() -> None:
    """There is nothing that they could show."""
    answer = Answer(tags=TAGS, maps=[], text_vector=[1, 2], image_vector=[2, 1])
    [checked] = check_answers([answer], [Item(ITEM.words)])
    assert checked.image_vector is None and checked.maps == {}


def test_probabilities_by_tag_give_the_exact_probability_of_every_entity() -> None:
    """It is the sum over all tag sequences that hold the entity, words being independent."""
    rng = np.random.default_rng(0)
    tags = ("O", "B-PER", "I-PER", "B-LOC", "I-LOC")
    by_tag = [dict(zip(tags, rng.dirichlet(np.ones(len(tags))).tolist(), strict=True)) for _ in range(3)]
    [checked] = check_answers([Answer(tags=TAGS, probabilities=by_tag)], [ITEM])
    for start, end in ((0, 1), (0, 2), (1, 2), (1, 3), (2, 3), (0, 3)):
        for kind in ("PER", "LOC"):
            entity = Entity(start, end, kind)
            summed = sum(
                np.prod([word[tag] for word, tag in zip(by_tag, path, strict=True)])
                for path in product(tags, repeat=3)
                if entity in tags_to_entities(path)
            )
            assert entity_probability(checked, entity) == pytest.approx(summed)
    assert gold_loss(checked, TAGS) == pytest.approx(-sum(np.log([by_tag[i][t] for i, t in enumerate(TAGS)])))


def test_probabilities_of_the_answer_are_multiplied_over_its_words() -> None:
    """An entity that was not answered has none; another type is not told, so an entity is its own runner-up."""
    [checked] = check_answers([Answer(tags=TAGS, probabilities=[0.5, 0.8, 0.9])], [ITEM])
    [entity] = described_entities(checked) or []
    assert entity["confidence"] == pytest.approx(0.4) == entity["runner_up_confidence"]
    assert entity_probability(checked, Entity(0, 1, "PER")) == 0.0 and gold_loss(checked, TAGS) is None


def test_renaming_types_adds_up_what_becomes_one() -> None:
    """PERSON and HUMAN are both PER, and a type may be left out."""
    by_tag = [{"B-PERSON": 0.5, "B-HUMAN": 0.3, "B-DATE": 0.2}, {"I-PERSON": 1.0}, {"O": 1.0}]
    answer = Answer(tags=["B-PERSON", "I-PERSON", "O"], probabilities=by_tag, maps=[np.eye(2)])
    [checked] = check_answers([answer], [ITEM])
    renamed = checked.renamed(TypeNames.parse(["PERSON=PER", "HUMAN=PER", "DATE=O"]))
    assert renamed.tags == tuple(TAGS)
    assert renamed.by_tag is not None and renamed.by_tag[0] == {"B-PER": 0.8, "O": 0.2}
    assert entity_probability(renamed, Entity(0, 2, "PER")) == pytest.approx(0.8)
    assert renamed.map_of(1, 3) is checked.maps[0, 2] and renamed.map_of(2, 3) is None


def test_covering_hides_cells_and_nothing_else() -> None:
    """Grey, or another photo, where a cell is hidden."""
    photo, other = Image.new("RGB", (30, 20), "white"), Image.new("RGB", (5, 5), "red")
    visible = np.array([[[True, False], [True, True]]])
    [grey] = cover(photo, visible)
    [red] = cover(photo, visible, other)
    assert grey.size == red.size == photo.size
    assert red.getpixel((20, 5)) == (255, 0, 0) and red.getpixel((20, 15)) == red.getpixel((5, 5)) == (255, 255, 255)
    assert len(set(grey.getpixel((20, 5)))) <= 3 and grey.getpixel((20, 5)) != (255, 255, 255)


def test_a_map_on_another_grid_keeps_its_mean() -> None:
    """A cell gets the mean of what it covers."""
    heat = np.random.default_rng(1).random((7, 9))
    laid = on_grid(heat, (6, 4))
    assert laid.shape == (6, 4) and laid.mean() == pytest.approx(heat.mean())
    np.testing.assert_allclose(on_grid(np.kron(np.eye(3), np.ones((2, 2))), (3, 3)), np.eye(3))
    np.testing.assert_allclose(on_grid(heat, heat.shape), heat)

"""Words on trial: falls are the model's own, the word that decides is found, an order that means nothing fails."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from analysis.heat_maps.explainer import ModelExplainer
from analysis.heat_maps.word_saliency import FEWEST, NEAREST, SALIENT, ReadWords, in_groups, word_saliency, word_score
from analysis.heat_maps.word_study import measure_words
from mmner_core.data import Example
from mmner_core.errors import InputError
from mmner_core.labels import Entity
from mmner_core.text.encoding import SubwordEncoder
from mmner_core.text.segments import TextPart
from tests.analysis.tiny_model import drawn_photo, tiny_explainer

WORDS = ("Jordan", "runs", "in", "Paris", "with", "Ann")
PLAN = (TextPart(0, None),)
ENTITY = Entity(3, 4, "LOC")


@pytest.fixture(scope="module")
def explainer(subwords: SubwordEncoder) -> ModelExplainer:
    """Both streams look at the cells of one small CNN."""
    return tiny_explainer(subwords)


def read_words(explainer: ModelExplainer, words: tuple[str, ...] = WORDS, entity: Entity = ENTITY) -> ReadWords:
    """Read a text of one part."""
    return ReadWords.around(entity, words, PLAN, explainer.subwords.windows_of_parts(words, PLAN))


def made_up(n: int, own: slice = slice(0, 1)) -> ReadWords:
    """Return n words that no model reads."""
    entity = Entity(own.start, own.stop, "PER")
    return ReadWords(words=("x",) * n, first=0, parts=PLAN, entity=entity, n_subwords=n)


@pytest.mark.parametrize("with_photo", [True, False])
def test_all_and_no_words_are_the_models_own_probabilities(explainer: ModelExplainer, with_photo: bool) -> None:
    """Of the text as it is, and of one of unknown tokens; the photo counts."""
    scene = explainer.scene(WORDS, drawn_photo())
    score = word_score(explainer, read_words(explainer), scene.image if with_photo else None)
    found = score(np.array([[True] * 6, [False] * 6]))
    streams = None if with_photo else ()
    expected = [explainer.probability(scene, [ENTITY], words_seen=seen, streams=streams)[0] for seen in (True, False)]
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_hidden_word_is_an_unknown_token(explainer: ModelExplainer) -> None:
    """Hiding the second word is reading the sentence with a word nobody knows in its place; the others differ."""
    score = word_score(explainer, read_words(explainer), None)
    visible = ~np.eye(6, dtype=bool)
    falls = score(visible)
    unknown = ("Jordan", "\u200b", "in", "Paris", "with", "Ann")  # no sub-word, so it is read as the unknown token
    scene = explainer.scene(unknown, drawn_photo())
    assert falls[1] == pytest.approx(explainer.probability(scene, [ENTITY], streams=())[0], rel=1e-4)
    assert all(abs(a - b) > 1e-6 * a for a, b in itertools.combinations(falls, 2))


def test_the_window_around_the_entity_is_asked(subwords: SubwordEncoder) -> None:
    """Of a long text only what the encoder reads the entity with; a part of its own is decoded by itself."""
    explainer = tiny_explainer(SubwordEncoder(subwords.tokenizer, max_subwords=24, overlap=3))
    words = WORDS * 8
    parts = (TextPart(0, None), TextPart(24, ","))
    windows = explainer.subwords.windows_of_parts(words, parts)
    assert len(windows) > 1
    read = ReadWords.around(Entity(27, 28, "LOC"), words, parts, windows)
    assert read.first > 0 and read.words == words[read.first : read.first + len(read.words)]
    assert read.words[read.entity.start] == "Paris" and read.own.sum() == 1
    assert read.n_subwords == len(explainer.subwords.windows_of_parts(read.words, read.parts)[0].input_ids) <= 24
    assert all(0 <= part.start < len(read.words) for part in read.parts)
    assert 0 < word_score(explainer, read, None)(np.ones((1, len(read.words)), dtype=bool)).item() < 1
    with pytest.raises(InputError, match="too long"):
        ReadWords.around(Entity(0, 40, "LOC"), words, parts, windows)


def test_the_word_that_decides_is_found_and_passes() -> None:
    """Falls are exact where each word adds its share; the true order passes, and never hides the entity's own words."""
    weights = np.array([0.2, 0.4, 0.0, 0.02, 0.1, 0.03, 0.05, 0.02, 0.08, 0.1])
    asked = []

    def score(visible: np.ndarray) -> np.ndarray:
        asked.append(visible)
        return visible @ weights

    found = word_saliency(score, made_up(10))
    np.testing.assert_allclose(found.falls, weights, atol=1e-9)
    assert found.probability == pytest.approx(1) and found.alone == pytest.approx(0.2)
    check = found.checks[SALIENT]
    assert check.better_than_chance and check.deletion.auc < found.checks[NEAREST].deletion.auc
    one_by_one, whole, deleted = asked
    assert len(one_by_one) == 11 and whole.shape == (2, 10)
    assert deleted[:, 0].all() and len(np.unique(deleted, axis=0)) == len(deleted)


def test_words_that_do_not_matter_pass_no_test() -> None:
    """A model that does not read has no salient words; around few words nothing can be tested."""
    found = word_saliency(lambda visible: np.full(len(visible), 0.7), made_up(8))
    assert not found.falls.any() and not found.checks[SALIENT].better_than_chance
    assert word_saliency(lambda visible: np.full(len(visible), 0.7), made_up(FEWEST)).checks == {}


def test_a_whole_sentence_of_the_tiny_model(explainer: ModelExplainer) -> None:
    """Everything has its place and is a probability."""
    read = read_words(explainer)
    found = word_saliency(in_groups(word_score(explainer, read, None), read), read)
    assert found.falls.shape == (6,) and np.abs(found.falls).max() > 0
    assert 0 < found.probability < 1 and 0 < found.alone < 1
    assert found.checks[SALIENT].deletion.probability[0] == pytest.approx(found.probability)


def test_the_nearest_words_are_a_baseline() -> None:
    """Of a model that reads by distance alone their order is the true one, on both sides of the entity."""
    weights = np.array([0.01, 0.03, 0.3, 0.1, 0.1, 0.3, 0.03, 0.01, 0.0])
    found = word_saliency(lambda visible: visible @ weights, made_up(9, slice(3, 5)))
    salient, nearest = (found.checks[name].deletion.auc for name in (SALIENT, NEAREST))
    assert salient == pytest.approx(nearest) and found.alone == pytest.approx(0.2)


def test_groups_answer_as_one(explainer: ModelExplainer) -> None:
    """A thousand variants, each at most some at a time, answer as all at once."""
    read, asked = read_words(explainer), []

    def score(visible: np.ndarray) -> np.ndarray:
        asked.append(len(visible))
        return visible.sum(1) / 6

    visible = np.random.default_rng(0).random((1000, 6)) < 0.5
    np.testing.assert_array_equal(in_groups(score, read)(visible), visible.sum(1) / 6)
    assert sum(asked) == 1000 and max(asked) * read.n_subwords <= 1024 < (max(asked) + 1) * read.n_subwords


def test_the_study_of_the_tiny_data(explainer: ModelExplainer) -> None:
    """Both orders are measured on the same entities, with intervals over sentences; what has no context is counted."""
    examples = [
        Example(words=WORDS, tags=("B-PER", "O", "O", "B-LOC", "O", "B-PER")),
        Example(words=("Ann", "runs"), tags=("B-PER", "O")),
        Example(words=WORDS[::-1], tags=("B-PER", "O", "B-LOC", "O", "O", "B-PER")),
    ]
    steps: list[int] = []
    found = measure_words(explainer, examples, progress=lambda: steps.append(1))
    rows = {(row["method"], row["quantity"]): row for row in found["words"]}
    assert {row["n"] for row in found["words"]} == {6} and len(steps) == 3
    assert {method for method, _ in rows} == {SALIENT, NEAREST}
    assert rows[SALIENT, "deletion_gain"]["value"] > rows[NEAREST, "deletion_gain"]["value"] - 1
    assert found["words_left_out"] == [{"what": "entities with fewer than 4 words around them", "n": 1}]
    with pytest.raises(InputError, match="No entity"):
        measure_words(explainer, examples[1:2])

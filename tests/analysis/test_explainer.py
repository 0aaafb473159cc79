"""The explainer says what the model says, and hides exactly what it is told to hide."""

import itertools

import numpy as np
import pytest
import torch

from analysis.heat_maps.attribution import check_maps, occlusion_map
from analysis.heat_maps.explainer import EncodedScene, ModelExplainer
from mmner_core.errors import InputError
from mmner_core.labels import Entity
from mmner_core.photos.open import Photo
from mmner_core.photos.preprocess import to_pixels
from mmner_core.text.encoding import SubwordEncoder, Window, collate
from tests.analysis.tiny_model import drawn_photo, tiny_explainer
from tests.helpers import span_probabilities

SENTENCE = ("Jordan", "runs", "in", "Paris")
ENTITIES = [Entity(0, 1, "PER"), Entity(2, 4, "LOC"), Entity(0, 4, "ORG")]


@pytest.fixture(scope="module")
def explainer(subwords: SubwordEncoder) -> ModelExplainer:
    """Both streams look at the cells of one small CNN."""
    return tiny_explainer(subwords)


@pytest.fixture(scope="module")
def scene(explainer: ModelExplainer) -> EncodedScene:
    """A sentence and a drawn photo."""
    return explainer.scene(SENTENCE, drawn_photo())


def model_probabilities(explainer: ModelExplainer, windows: list[Window], *, photo: bool) -> np.ndarray:
    """Ask the model itself, by one plain forward pass and its own span probabilities."""
    model, subwords = explainer.model, explainer.subwords
    pixels, _ = to_pixels([Photo(drawn_photo(), (64, 64))], model.config.vit, model.config.cnn)
    batch = collate(windows, pad=subwords.pad, image_index=[0] if photo else None, pixels=pixels if photo else None)
    with torch.no_grad():
        emissions = model(batch).emissions[0]
        spans = span_probabilities(model.crf, emissions, [(e.start, e.end) for e in ENTITIES])
    return np.array([spans[i, model.labels.types.index(e.type)].item() for i, e in enumerate(ENTITIES)])


def test_all_players_equal_the_plain_forward_pass(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """With words and photo seen, probabilities are the model's own; likewise without the photo."""
    windows = explainer.subwords.windows([SENTENCE])[0]
    everything = model_probabilities(explainer, windows, photo=True)
    np.testing.assert_allclose(explainer.probability(scene, ENTITIES), everything, rtol=1e-4)
    text_only = model_probabilities(explainer, windows, photo=False)
    np.testing.assert_allclose(explainer.probability(scene, ENTITIES, streams=()), text_only, rtol=1e-4)
    assert not np.allclose(everything, text_only, rtol=1e-2)  # the photo matters, or the test would show nothing


def test_hidden_words_are_unknown_tokens(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """Hiding four words is reading four unknown tokens, one per word, between the special tokens."""
    unknown = Window(input_ids=[0, 3, 3, 3, 3, 2], word_to_token=[1, 2, 3, 4], start=0, stop=4)
    expected = model_probabilities(explainer, [unknown], photo=True)
    np.testing.assert_allclose(explainer.probability(scene, ENTITIES, words_seen=False), expected, rtol=1e-4)


def test_each_coalition_of_streams_answers_differently(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """None, one or both streams seeing the photo are four different questions."""
    answers = [explainer.probability(scene, ENTITIES, streams=s)[1] for s in ((), ("vit",), ("cnn",), ("vit", "cnn"))]
    assert all(abs(a - b) > 1e-4 * a for a, b in itertools.combinations(answers, 2))


def test_a_long_sentence_is_read_in_windows_hidden_or_not(subwords: SubwordEncoder) -> None:
    """Thirty words in windows of 22 sub-words still have one probability per span in both texts."""
    explainer = tiny_explainer(SubwordEncoder(subwords.tokenizer, max_subwords=24, overlap=3))
    scene = explainer.scene(SENTENCE * 7 + ("and", "Ann"), drawn_photo())
    assert scene.words.shape == scene.hidden_words.shape == (30, explainer.model.text_encoder.width)
    assert 0 < explainer.probability(scene, [Entity(29, 30, "PER")], words_seen=False).item() < 1


def test_visible_cells(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """All cells visible is the photo itself; all hidden is the grey photo; hiding one differs from both."""
    score = explainer.cell_score(scene, ENTITIES[1])
    visible = np.ones((3, 2, 2), dtype=bool)
    visible[1], visible[2, 0, 1] = False, False
    whole, grey, one = score(visible)
    assert whole == pytest.approx(explainer.probability(scene, ENTITIES)[1], rel=1e-4)
    blank = explainer.scene(SENTENCE, drawn_photo().point(lambda _: 128))
    assert grey == pytest.approx(explainer.probability(blank, ENTITIES)[1], rel=1e-3)
    assert all(abs(a - b) > 1e-4 * a for a, b in itertools.combinations((whole, grey, one), 2))


def test_many_variants_are_asked_in_batches_without_a_difference(
    explainer: ModelExplainer, scene: EncodedScene
) -> None:
    """A hundred variants answer as each alone does."""
    visible = np.random.default_rng(0).random((100, 2, 2)) < 0.5
    score = explainer.cell_score(scene, ENTITIES[0])
    np.testing.assert_allclose(score(visible)[[0, 70]], [score(visible[[i]])[0] for i in (0, 70)], rtol=1e-4)


def test_attention_is_the_mean_over_heads_and_words(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """The map is the model's attention on the cells; with the "no image" key beside it, it sums to less than 1."""
    pixels, _ = to_pixels([Photo(drawn_photo(), (64, 64))], None, explainer.model.config.cnn)
    batch = collate(explainer.subwords.windows([SENTENCE])[0], pad=1, image_index=[0], pixels=pixels)
    with torch.no_grad():
        weights = explainer.model(batch, need_weights=True).attention["vit"]
    found = explainer.attention(scene, Entity(2, 4, "LOC"))["vit"]
    expected = weights[0, :, 2:4, 1:].mean((0, 1)).reshape(found.shape)
    np.testing.assert_allclose(found, expected, rtol=1e-4)
    assert found.shape == explainer.grids["vit"] == (2, 2)
    assert 0 < found.sum() < 1


def test_gradient_weighted_attention_equals_finite_differences(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """Each cell's relevance is positive part of attention times the measured slope of the log-probability."""
    entity = ENTITIES[1]
    found = explainer.weighted_attention(scene, entity)["vit"]
    block = explainer.model.fusion.blocks["vit"]
    with torch.no_grad():
        _, attention = explainer._emissions(scene.words, scene.image, None, need_weights=True)
        slopes = torch.zeros_like(attention["vit"])
        for place in itertools.product(*(range(n) for n in slopes.shape)):
            step = torch.zeros_like(slopes)
            step[place] = 1e-2
            logs = [_with_shifted_attention(explainer, scene, entity, block, sign * step) for sign in (1, -1)]
            slopes[place] = (logs[0] - logs[1]) / 2e-2
    relevance = (slopes * attention["vit"]).clamp(min=0).mean(1).sum(1)[0, 1:].reshape(found.shape)
    np.testing.assert_allclose(found, relevance, rtol=0.05, atol=1e-4)
    assert found.max() > 0


def _with_shifted_attention(
    explainer: ModelExplainer, scene: EncodedScene, entity: Entity, block: torch.nn.Module, shift: torch.Tensor
) -> float:
    """Return the entity's log-probability when the attention of one block is shifted by ``shift``."""
    softmax = torch.Tensor.softmax
    mine = {"next": False}

    def mark(*_: object) -> None:
        mine["next"] = True

    def shifted(tensor: torch.Tensor, dim: int) -> torch.Tensor:
        weights = softmax(tensor, dim)
        return weights + shift if mine.pop("next", False) else weights

    handle = block.register_forward_pre_hook(mark)
    torch.Tensor.softmax = shifted  # type: ignore[method-assign, assignment]
    try:
        emissions, _ = explainer._emissions(scene.words, scene.image, None, need_weights=True)
    finally:
        torch.Tensor.softmax = softmax  # type: ignore[method-assign]
        handle.remove()
    return explainer._log_probability(emissions, entity).item()


def test_a_pooled_stream_has_no_map(subwords: SubwordEncoder) -> None:
    """A stream whose only key is the whole photo cannot point anywhere."""
    explainer = tiny_explainer(subwords, cnn_keys="pooled")
    scene = explainer.scene(SENTENCE, drawn_photo())
    assert (
        set(explainer.attention(scene, ENTITIES[0])) == set(explainer.weighted_attention(scene, ENTITIES[0])) == {"vit"}
    )


def test_maps_go_on_trial(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """All methods and the random twin's map are tested on the same photo by the same question."""
    entity = ENTITIES[1]
    score = explainer.cell_score(scene, entity)
    twin = explainer.random_twin()
    maps = {
        "attention": explainer.attention(scene, entity)["vit"],
        "weighted": explainer.weighted_attention(scene, entity)["vit"],
        "occlusion": occlusion_map(score, (2, 2)),
        "random model": twin.attention(twin.scene(SENTENCE, drawn_photo()), entity)["vit"],
    }
    tests = check_maps(score, maps, random_orders=19)
    assert set(tests) == set(maps)
    assert tests["occlusion"].deletion.probability[0] == pytest.approx(
        explainer.probability(scene, [entity])[0], rel=1e-4
    )


def test_the_random_twin_is_another_model_and_repeats(explainer: ModelExplainer, scene: EncodedScene) -> None:
    """Same build, other weights; the same seed gives the same twin; the explained model is left as it was."""
    before = explainer.probability(scene, ENTITIES)
    answers = [t.probability(t.scene(SENTENCE, drawn_photo()), ENTITIES) for t in map(explainer.random_twin, (1, 1, 2))]
    np.testing.assert_array_equal(answers[0], answers[1])
    assert not np.allclose(answers[0], answers[2])
    assert not np.allclose(answers[0], before)
    np.testing.assert_array_equal(explainer.probability(scene, ENTITIES), before)


def test_what_cannot_be_asked_is_said(explainer: ModelExplainer) -> None:
    """A convention the model lacks, and a model without image streams."""
    with pytest.raises(InputError, match="'tweets'.*wiki, caption"):
        explainer.scene(SENTENCE, drawn_photo(), convention="tweets")
    with pytest.raises(InputError, match="text only"):
        tiny_explainer(explainer.subwords, streams=()).scene(SENTENCE, drawn_photo())

"""The multimodal collaboration module: what words may look at, and what they see."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mmner_core.config import FusionConfig
from mmner_core.network.fusion import CrossAttention, Fusion
from tests.told import refused

WIDTH, TOKENS = 8, 5
SHOWN = torch.tensor([0, -1])


def build(**options: object) -> Fusion:
    """Return a module in eval mode with loud random weights, the same every time."""
    torch.manual_seed(0)
    fusion = Fusion(WIDTH, FusionConfig(heads=2, **options))
    for parameter in fusion.parameters():
        parameter.data = torch.randn_like(parameter)
    return fusion.eval()


def look(fusion: Fusion, *, tokens: Tensor | None = None, need_weights: bool = True) -> tuple[Tensor, dict]:
    """Let two sentences of three words look at the images; only the first has one."""
    torch.manual_seed(1)
    words = torch.randn(2, 3, WIDTH)
    tokens = torch.randn(2, TOKENS, WIDTH) if tokens is None else tokens
    keys = {stream: fusion.keys(stream, tokens) for stream in fusion.config.streams}
    return fusion(words, keys, SHOWN, n_attention_rows=len(SHOWN) if need_weights else 0)


@pytest.mark.parametrize("sink", [True, False])
def test_attention_rows_sum_to_one(sink: bool) -> None:
    """Each word of each head spends exactly all of its attention, per stream."""
    _, attention = look(build(null_sink=sink))
    assert set(attention) == {"vit", "cnn"}
    for weights in attention.values():
        assert weights.shape == (2, 2, 3, 1 + TOKENS)
        torch.testing.assert_close(weights.sum(-1), torch.ones(2, 2, 3))


@pytest.mark.parametrize("sink", [True, False])
def test_asking_for_weights_changes_nothing(sink: bool) -> None:
    """The fast path and the one that returns attention give the same vectors."""
    fusion = build(null_sink=sink)
    fused, attention = look(fusion, need_weights=False)
    assert attention == {}
    torch.testing.assert_close(fused, look(fusion)[0], atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("sink", [True, False])
def test_without_an_image_words_see_only_the_learnt_state(sink: bool) -> None:
    """What stands in the rows of an absent image does not matter: all attention is on the "no image" key."""
    fusion = build(null_sink=sink)
    fused, attention = look(fusion)
    other, _ = look(fusion, tokens=torch.full((2, TOKENS, WIDTH), 7.0))
    assert torch.equal(fused[1], other[1])
    assert not torch.equal(fused[0], other[0])
    assert (attention["vit"][1, ..., 0] == 1).all()


def test_the_sink_is_offered_beside_an_image_only_on_request() -> None:
    """With a photo, words may look away from it if ``null_sink`` says so, and not otherwise."""
    _, with_sink = look(build(null_sink=True))
    _, without = look(build(null_sink=False))
    assert (with_sink["vit"][0, ..., 0] > 0).all()
    assert (without["vit"][0, ..., 0] == 0).all()


@pytest.mark.parametrize("learning", [True, False])
def test_no_image_in_the_whole_batch_is_the_same_as_none_for_one_sentence(learning: bool) -> None:
    """A sentence without image gets the same vectors whether or not its neighbour has one, also while learning."""
    fusion = build()
    torch.manual_seed(1)
    words = torch.randn(2, 3, WIDTH)
    keys = {stream: fusion.keys(stream, None) for stream in ("vit", "cnn")}
    with torch.set_grad_enabled(learning):
        fused, attention = fusion(words, keys, torch.tensor([-1, -1]), n_attention_rows=2)
    assert all(torch.equal(weights, torch.ones(2, 2, 3, 1)) for weights in attention.values())
    assert set(attention) == {"vit", "cnn"}
    torch.testing.assert_close(fused[1], look(fusion)[0][1], atol=1e-5, rtol=1e-5)


def test_a_tied_query_is_computed_by_the_key_projection() -> None:
    """As in the authors' code: the query weights are there and have no say; untied they have."""
    for option, has_say in (("tied_to_key", False), ("own", True)):
        fusion = build(query=option)
        before, _ = look(fusion)
        for block in fusion.blocks.values():
            assert isinstance(block, CrossAttention)
            block.query.weight.data.mul_(-1)
        assert torch.equal(look(fusion)[0], before) is not has_say


def test_the_residual_adds_the_word_vectors() -> None:
    """``word_residual`` adds the text's own vectors to what the module computed."""
    torch.manual_seed(1)
    words = torch.randn(2, 3, WIDTH)
    torch.testing.assert_close(look(build(word_residual=True))[0], look(build())[0] + words)


def test_without_streams_words_pass_unchanged() -> None:
    """A text-only model has no module to go through."""
    words = torch.randn(2, 3, WIDTH)
    assert build(streams=())(words, {}, SHOWN) == (words, {})


def test_heads_must_divide_the_width() -> None:
    """A width that cannot be split evenly is refused with both numbers."""
    with refused("3 heads", "width 8", by=ValueError):
        Fusion(8, FusionConfig(heads=3))

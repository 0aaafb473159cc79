"""The model as a whole, with tiny random encoders."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from mmner_core.config import AlignmentConfig, FusionConfig, ImageConfig, ModelConfig
from mmner_core.network.model import MMNER
from mmner_core.presets import tiny, tiny_grounded
from mmner_core.text.encoding import Batch, Pixels, Window, collate
from mmner_core.training import runs
from tests.helpers import without_images

CNN = ImageConfig(library="timm", name="test_efficientnet", size=64)
SENTENCES = ([5, 6, 7, 8, 9], [10, 11], [12, 13, 14])
TAGS = ([0, 1, 2, 0, 3], [5, 0], [0, 7, 8])
IMAGES = (0, -1, 1)


def photos(n: int = 2, size: int = 64) -> Tensor:
    """Return n random preprocessed photos."""
    return torch.randn(n, 3, size, size, generator=torch.Generator().manual_seed(4))


def batch_of(rows: Sequence[int] = (0, 1, 2), images: Sequence[int] = IMAGES, **fields: Any) -> Batch:
    """Build a batch of the sentences in these rows, one sub-word per word, with their gold tags."""
    windows = [
        Window(input_ids=[0, *SENTENCES[r], 2], word_to_token=[*range(1, 1 + len(SENTENCES[r]))], start=0,
               stop=len(SENTENCES[r]))
        for r in rows
    ]  # fmt: skip
    fields.setdefault("pixels", Pixels(cnn=photos()))
    return collate(windows, pad=1, tags=[TAGS[r] for r in rows], image_index=[images[r] for r in rows], **fields)


def build(seed: int = 0, **fields: Any) -> MMNER:
    """Build a variant of preset tiny in eval mode."""
    torch.manual_seed(seed)
    return MMNER.build(replace(tiny(), **fields)).eval()


def trained(model: MMNER) -> MMNER:
    """Take one step of training mode: forward, backward; return the model with its gradients."""
    model.train()
    model(batch_of()).losses["total"].backward()
    return model


@torch.no_grad()
def test_a_batch_of_one_equals_a_batch_of_many(tiny_model: MMNER) -> None:
    """Neither a sentence's neighbours nor the padding they cause change its scores."""
    together = tiny_model(batch_of())
    for row, words in enumerate(SENTENCES):
        alone = tiny_model(batch_of([row]))
        torch.testing.assert_close(together.emissions[row, : len(words)], alone.emissions[0], atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(together.text_projection[row], alone.text_projection[0], atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_a_sentence_without_image_is_read_as_in_a_batch_without_images(tiny_model: MMNER) -> None:
    """Taking away the image of one sentence, or of all, is the same for that sentence; and it matters."""
    mixed, bare = tiny_model(batch_of()), tiny_model(without_images(batch_of()))
    torch.testing.assert_close(mixed.emissions[1, :2], bare.emissions[1, :2], atol=1e-5, rtol=1e-4)
    assert not torch.allclose(mixed.emissions[0], bare.emissions[0], atol=1e-4)
    assert bare.image_projection == {} and "contrastive_cnn" not in bare.losses


@torch.no_grad()
def test_what_the_last_stage_trains_is_nothing_without_a_photo() -> None:
    """``mini_fusion`` moves weights that a text alone does not reach, to the last bit."""
    model = build(fusion=tiny_grounded().fusion)
    model.classifier.bias[0] -= 5  # all are names, which look
    bare, seen = model(without_images(batch_of())).emissions, model(batch_of()).emissions
    moved = [
        p for name, p in model.named_parameters() if name.startswith(runs.named_run("mini_fusion").training.trainable)
    ]
    assert moved
    for parameter in moved:
        parameter.add_(torch.randn_like(parameter))
    assert torch.equal(model(without_images(batch_of())).emissions, bare)
    assert not torch.allclose(model(batch_of()).emissions, seen, atol=1e-3)


@torch.no_grad()
def test_images_encoded_before_give_the_same_scores(tiny_model: MMNER) -> None:
    """Features computed once stand for the pixels."""
    states = tiny_model.encode_pixels(Pixels(cnn=photos()))
    torch.testing.assert_close(
        tiny_model(batch_of(pixels=None, image_states=states)).emissions, tiny_model(batch_of()).emissions
    )


@torch.no_grad()
def test_sentences_may_share_an_image(tiny_model: MMNER) -> None:
    """One photo read by two sentences is the same as two copies of it."""
    shared = tiny_model(batch_of([0, 2], images=[0, -1, 0], pixels=Pixels(cnn=photos()[:1])))
    copies = tiny_model(batch_of([0, 2], images=[0, -1, 1], pixels=Pixels(cnn=photos()[:1].repeat(2, 1, 1, 1))))
    torch.testing.assert_close(shared.emissions, copies.emissions)


@torch.no_grad()
def test_losses_are_weighted_as_in_the_paper(tiny_model: MMNER) -> None:
    """Total = 2 (alpha CRF + (1 - alpha) (ViT + CNN)); the CRF's is the mean over sentences."""
    batch = batch_of()
    output = tiny_model(batch)
    losses = output.losses
    contrastive = losses["contrastive_vit"] + losses["contrastive_cnn"]
    torch.testing.assert_close(losses["total"], 2 * (0.8 * losses["crf"] + 0.2 * contrastive))
    singles = [tiny_model(batch_of([row])).losses["crf"] for row in range(3)]
    torch.testing.assert_close(losses["crf"], torch.stack(singles).mean(), atol=1e-4, rtol=1e-4)


@torch.no_grad()
def test_only_aligned_pairs_are_pulled_together(tiny_model: MMNER) -> None:
    """A pair marked as not belonging together leaves the contrastive loss; one that is left has nothing to contrast."""
    losses = tiny_model(batch_of(aligned=[True, True, False])).losses
    assert losses["contrastive_cnn"] == 0 and losses["contrastive_vit"] == 0
    losses = tiny_model(batch_of(aligned=[False, False, False])).losses
    torch.testing.assert_close(losses["total"], 2 * 0.8 * losses["crf"])


def test_without_tags_there_are_no_losses(tiny_model: MMNER) -> None:
    """Tagging computes none."""
    assert tiny_model(replace(batch_of(), tags=None)).losses == {}


@torch.no_grad()
def test_attention_is_returned_on_request(tiny_model: MMNER) -> None:
    """Per stream [B, H, W, K], rows summing to 1; asking for it changes no score."""
    plain, detailed = tiny_model(batch_of()), tiny_model(batch_of(), need_weights=True)
    assert plain.attention == {} and set(detailed.attention) == {"vit", "cnn"}
    for weights in detailed.attention.values():
        assert weights.shape == (3, 2, 5, 1 + 2 * 2)
        torch.testing.assert_close(weights.sum(-1), torch.ones(3, 2, 5))
    torch.testing.assert_close(plain.emissions, detailed.emissions, atol=1e-5, rtol=1e-4)


@torch.no_grad()
def test_viterbi_gives_one_tag_per_word(tiny_model: MMNER) -> None:
    """Padding gets none."""
    batch = batch_of()
    assert [len(path) for path in tiny_model.crf.viterbi(tiny_model(batch).emissions, batch.word_mask)] == [5, 2, 3]


@torch.no_grad()
def test_a_convention_changes_scores_only_once_learnt(tiny_model: MMNER) -> None:
    """Untrained, every convention reads a sentence alike; a vector of its own makes it differ."""
    model = copy.deepcopy(tiny_model)
    wiki, caption = batch_of(conventions=[0, 0, 0]), batch_of(conventions=[1, 1, 1])
    assert torch.equal(model(wiki).emissions, model(caption).emissions)
    model.text_encoder.convention.weight[1] = torch.linspace(-1, 1, 16)
    assert not torch.allclose(model(wiki).emissions, model(caption).emissions, atol=1e-3)
    torch.testing.assert_close(model(wiki).emissions, tiny_model(wiki).emissions)


def test_the_convention_vector_is_trained() -> None:
    """Each convention's vector gets a gradient from the sentences that follow it, and only from those."""
    model = build()
    model(batch_of(conventions=[1, 1, 1])).losses["total"].backward()
    gradient = model.text_encoder.convention.weight.grad
    assert gradient[1].any() and not gradient[0].any()


NO_ALIGNMENT = AlignmentConfig(streams=())


@pytest.mark.parametrize(
    "fields",
    [
        {"cnn": None, "fusion": FusionConfig(streams=(), heads=2), "alignment": NO_ALIGNMENT},
        {"fusion": FusionConfig(streams=("cnn",), heads=2), "alignment": AlignmentConfig(streams=("cnn",))},
        {"fusion": FusionConfig(streams=("vit",), heads=2), "alignment": NO_ALIGNMENT},
        {"fusion": FusionConfig(streams=(), heads=2)},
        {"fusion": FusionConfig(heads=2, cnn_keys="pooled", word_residual=True)},
        {"alignment": AlignmentConfig(vit_pooling="flatten")},
        {"conventions": ()},
        {"types": ("OTHER",)},
    ],
    ids=["text only", "cnn only", "vit only", "alignment only", "pooled", "flatten", "one convention", "one type"],
)
def test_every_variant_of_the_study_trains(fields: dict[str, Any]) -> None:
    """Each part can be left out: the model reads, scores and learns, and its text layers get gradients."""
    model = build(**fields)
    n_tags = 1 + 2 * len(model.config.types)
    batch = batch_of()
    batch = replace(batch, tags=batch.tags.clamp(max=n_tags - 1))
    output = model.train()(batch, need_weights=True)
    assert output.emissions.shape == (3, 5, n_tags)
    assert set(output.attention) == set(model.config.fusion.streams)
    assert {f"contrastive_{s}" for s in model.config.alignment.streams} < output.losses.keys()
    output.losses["total"].backward()
    assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)
    assert model.text_encoder.model.embeddings.word_embeddings.weight.grad.any()


def test_vit_and_cnn_feed_their_own_streams(tiny_vit: str) -> None:
    """With a ViT of its own, the first stream has its tokens, class token included; without a CNN it stands alone."""
    vit = ImageConfig(library="open_clip", name=tiny_vit, size=32)
    both = build(vit=vit, alignment=AlignmentConfig())
    pixels = Pixels(vit=photos(size=32), cnn=photos())
    weights = both(batch_of(pixels=pixels), need_weights=True).attention
    assert (weights["vit"].shape[-1], weights["cnn"].shape[-1]) == (1 + 1 + 2 * 2, 1 + 2 * 2)
    alone = build(
        vit=vit, cnn=None, fusion=FusionConfig(streams=("vit",), heads=2), alignment=AlignmentConfig(streams=("vit",))
    )
    output = alone(batch_of(pixels=Pixels(vit=photos(size=32))))
    assert output.losses["contrastive_vit"] > 0
    assert not any(name.startswith("to_width.") for name in alone.state_dict())  # widths agree: no projection


@pytest.mark.parametrize("drifts", [False, True])
def test_a_frozen_cnn_stays_as_it_is(drifts: bool) -> None:
    """No gradient reaches it; its BatchNorm statistics stay too, unless asked to drift as in the authors' code."""
    model = build(cnn=replace(CNN, frozen=True, batchnorm_drifts=drifts))
    before = copy.deepcopy(model.cnn_encoder.state_dict())
    trained(model)
    assert all(p.grad is None for p in model.cnn_encoder.parameters())
    changed = [name for name, value in model.cnn_encoder.state_dict().items() if not torch.equal(value, before[name])]
    assert bool(changed) is drifts
    assert all("running" in name or "num_batches" in name for name in changed)


def test_a_cnn_that_is_not_frozen_learns() -> None:
    """Its first layer gets a gradient."""
    assert trained(build()).cnn_encoder.model.conv_stem.weight.grad.any()


def test_a_state_dict_restores_the_model() -> None:
    """Weights saved from one model make another give the same scores."""
    first, second = build(0), build(1)
    second.load_state_dict(first.state_dict())
    with torch.no_grad():
        assert torch.equal(first(batch_of()).emissions, second(batch_of()).emissions)


def test_the_default_config_is_the_papers() -> None:
    """Twelve heads, both streams, alpha 0.8, temperature 0.5."""
    config = ModelConfig(cnn=CNN)
    assert (config.fusion.heads, config.alpha, config.alignment.temperature) == (12, 0.8, 0.5)
    assert config.fusion.streams == config.alignment.streams == ("vit", "cnn")

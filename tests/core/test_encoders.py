"""The encoders alone: token counts, grids, weights from local files, and one sentence where there are none."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from mmner_core.config import ImageConfig, TextConfig
from mmner_core.encoders.image import CnnEncoder, VitEncoder, load_pretrained_image
from mmner_core.encoders.libraries import WEIGHTS_FOLDER, prepare_libraries
from mmner_core.encoders.text import TextEncoder, load_pretrained_text, resolve_text
from mmner_core.encoders.tokenizer import load_tokenizer
from mmner_core.encoders.weights import find_image_weights, find_text, use_weights
from mmner_core.errors import InputError
from mmner_core.presets import TINY_BERT
from tests.told import refused

CNN = ImageConfig(library="timm", name="test_efficientnet", size=64)
TEXT = TextConfig(name="tiny", architecture=dict(TINY_BERT))


def sentences() -> tuple[torch.Tensor, torch.Tensor]:
    """Return ids and mask of a full and a padded sentence."""
    ids = torch.tensor([[0, 5, 6, 7, 2], [0, 9, 2, 1, 1]])
    return ids, (ids != 1).long()


def test_a_vit_gives_all_its_tokens(tiny_vit: str) -> None:
    """One per patch and the class token first, at the tower's own width; the grid says how the patches lie."""
    encoder = VitEncoder(ImageConfig(library="open_clip", name=tiny_vit, size=48)).eval()
    assert (encoder.width, encoder.grid) == (16, (3, 3))
    assert encoder(torch.zeros(2, 3, 48, 48)).shape == (2, 1 + 3 * 3, 16)


def test_a_vit_without_a_class_token_puts_its_pooled_vector_there(tiny_siglip: str) -> None:
    """SigLIP's form: a tower that open_clip takes from timm, pooled by attention; registers are left out."""
    encoder = VitEncoder(ImageConfig(library="open_clip", name=tiny_siglip, size=48)).eval()
    photo = torch.randn(2, 3, 48, 48, generator=torch.Generator().manual_seed(1))
    assert (encoder.width, encoder.grid) == (96, (3, 3))
    with torch.no_grad():
        tokens = encoder(photo)
        assert tokens.shape == (2, 1 + 3 * 3, 96)
        torch.testing.assert_close(tokens[:, 0], encoder.tower(photo))
        torch.testing.assert_close(tokens[:, 1:], encoder.tower.forward_features(photo)[:, 1:])


def test_a_vit_of_timm_keeps_its_class_token() -> None:
    """The authors' other choice, google/vit-base-patch16-224, is of this kind."""
    encoder = VitEncoder(ImageConfig(library="timm", name="test_vit", size=32)).eval()
    photo = torch.ones(1, 3, 32, 32)
    torch.testing.assert_close(encoder(photo), encoder.tower.forward_features(photo))
    assert encoder(photo).shape == (1, 1 + 2 * 2, 64)


@pytest.mark.parametrize(
    ("name", "message"),
    [("MobileCLIP2-S0", "no plain vision transformer"), ("no-such", "open_clip has no model 'no-such'")],
)
def test_a_tower_without_patch_tokens_is_refused(name: str, message: str) -> None:
    """Words have nothing to attend to in it."""
    with pytest.raises(InputError, match=message):
        VitEncoder(ImageConfig(library="open_clip", name=name))


@pytest.mark.parametrize(("size", "side"), [(64, 2), (72, 3), (224, 7)])
def test_a_cnn_gives_its_map(size: int, side: int) -> None:
    """The grid announced is the map's, whether or not the stride divides the size."""
    encoder = CnnEncoder(replace(CNN, size=size)).eval()
    assert encoder.grid == (side, side)
    assert encoder(torch.zeros(1, 3, size, size)).shape == (1, encoder.width, side, side)


def test_a_frozen_encoder_has_no_trainable_weight(tiny_vit: str) -> None:
    """Freezing reaches every parameter of either image encoder."""
    frozen = [CnnEncoder(replace(CNN, frozen=True))]
    frozen.append(VitEncoder(ImageConfig(library="open_clip", name=tiny_vit, size=32, frozen=True)))
    assert not any(p.requires_grad for encoder in frozen for p in encoder.parameters())


def test_image_weights_come_from_a_local_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A relative name is found in the folder that the environment variable names; half precision is widened."""
    source = CnnEncoder(CNN)
    save_file({k: v.half() if v.is_floating_point() else v for k, v in source.model.state_dict().items()},
              tmp_path / "cnn.safetensors")  # fmt: skip
    monkeypatch.setenv(WEIGHTS_FOLDER, str(tmp_path))
    assert find_image_weights(CNN.name, "cnn.safetensors") == tmp_path / "cnn.safetensors"
    encoder = CnnEncoder(replace(CNN, pretrained="cnn.safetensors"))
    load_pretrained_image(encoder)
    torch.testing.assert_close(encoder.model.conv_stem.weight, source.model.conv_stem.weight, atol=1e-3, rtol=1e-3)
    assert encoder.model.conv_stem.weight.dtype == torch.float32


def test_a_tower_is_taken_out_of_a_whole_model(tiny_vit: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hub folder of open_clip holds the text tower too, whose tensors bear the same names as the image tower's."""
    import open_clip

    model = open_clip.create_model(tiny_vit)
    (tmp_path / tiny_vit).mkdir()
    state = {name: tensor.contiguous().clone() for name, tensor in model.state_dict().items()}
    assert {"transformer.resblocks.0.ln_1.weight", "visual.transformer.resblocks.0.ln_1.weight"} <= state.keys()
    save_file(state, tmp_path / tiny_vit / "open_clip_model.safetensors")
    monkeypatch.setenv(WEIGHTS_FOLDER, str(tmp_path))
    encoder = VitEncoder(ImageConfig(library="open_clip", name=tiny_vit, size=32, pretrained="openai"))
    load_pretrained_image(encoder)
    for name, tensor in encoder.tower.state_dict().items():
        assert torch.equal(tensor, state[f"visual.{name}"])


def test_weights_are_found_in_every_place_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Folders of encoders, an encoder's own folder, a file named after it; those given later go first."""
    own, file = tmp_path / "resnet.a1", tmp_path / "ViT.safetensors"
    (tmp_path / "all" / "xlm").mkdir(parents=True)
    own.mkdir()
    for name in (own / "model.safetensors", file, tmp_path / "all" / "xlm" / "config.json"):
        name.write_text("")
    monkeypatch.delenv(WEIGHTS_FOLDER, raising=False)
    assert find_image_weights("ViT", "openai") is None
    use_weights([tmp_path / "all"])
    use_weights([own, file])
    assert find_image_weights("resnet.a1", "default") == own / "model.safetensors"
    assert find_image_weights("ViT", "openai") == file
    assert find_text("xlm") == str(tmp_path / "all" / "xlm")
    assert find_text("mbert") == "mbert"
    with refused("nowhere"):
        use_weights([tmp_path / "nowhere"])


def test_damaged_image_weights_are_told(tmp_path: Path) -> None:
    """A file that is no safetensors file gives its name and one sentence."""
    (tmp_path / "cnn.safetensors").write_bytes(b"<html>")
    with refused("cnn.safetensors", "damaged"):
        load_pretrained_image(CnnEncoder(replace(CNN, pretrained=str(tmp_path / "cnn.safetensors"))))


def test_image_weights_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    """A file that lacks tensors gives one sentence with the file and the way out."""
    save_file({"other": torch.zeros(1)}, tmp_path / "cnn.safetensors")
    encoder = CnnEncoder(replace(CNN, pretrained=str(tmp_path / "cnn.safetensors")))
    with refused("cnn.safetensors", "MMNER_WEIGHTS"):
        load_pretrained_image(encoder)


def test_image_weights_that_are_not_to_be_had_are_asked_for(tiny_vit: str) -> None:
    """Offline, a hub name gives the same sentence and not the library's traceback."""
    for encoder in (
        CnnEncoder(replace(CNN, pretrained="default")),
        VitEncoder(ImageConfig(library="open_clip", name=tiny_vit, size=32, pretrained="openai")),
    ):
        with refused("MMNER_WEIGHTS"):
            load_pretrained_image(encoder)


def test_a_text_encoder_is_loaded_from_a_local_folder(tiny_bert: Path) -> None:
    """Architecture and weights of a folder that transformers wrote; the states are those that transformers computes."""
    config = resolve_text(TextConfig(name=str(tiny_bert)))
    encoder = TextEncoder(config, n_conventions=0).eval()
    load_pretrained_text(encoder)
    prepare_libraries()
    from transformers import BertModel

    theirs = BertModel.from_pretrained(tiny_bert).eval()
    ids, mask = sentences()
    with torch.no_grad():
        want, got = theirs(input_ids=ids, attention_mask=mask), encoder(ids, mask)
    assert (encoder.width, encoder.max_subwords) == (16, 64)
    torch.testing.assert_close(got.tokens[mask.bool()], want.last_hidden_state[mask.bool()], atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(got.sentence, want.pooler_output, atol=1e-5, rtol=1e-5)


def test_either_attention_gives_the_same_states() -> None:
    """The two implementations differ in speed, not in what they compute."""
    encoder = TextEncoder(TEXT, n_conventions=0).eval()
    ids, mask = sentences()
    states = []
    for implementation in ("eager", "sdpa"):
        encoder.use_attention(implementation)
        states.append(encoder(ids, mask).tokens[mask.bool()])
    torch.testing.assert_close(*states, atol=1e-5, rtol=1e-5)


def test_xlm_r_is_loaded_from_a_local_folder(tmp_path: Path) -> None:
    """Its states are transformers' own, and its positions, which start behind the padding index, cost two sub-words."""
    prepare_libraries()
    from transformers import XLMRobertaConfig, XLMRobertaModel

    shape = {**TINY_BERT, "model_type": "xlm-roberta", "max_position_embeddings": 18}
    theirs = XLMRobertaModel(XLMRobertaConfig(**shape)).eval()
    theirs.save_pretrained(tmp_path)
    config = resolve_text(TextConfig(name=str(tmp_path), sentence_vector="mean"))
    encoder = TextEncoder(config, n_conventions=2).eval()
    load_pretrained_text(encoder)
    ids, mask = sentences()
    with torch.no_grad():
        torch.testing.assert_close(
            encoder(ids, mask).tokens[mask.bool()],
            theirs(input_ids=ids, attention_mask=mask).last_hidden_state[mask.bool()],
            atol=1e-5,
            rtol=1e-5,
        )
        longest = torch.full((1, encoder.max_subwords), 5)
        assert encoder(longest, torch.ones_like(longest)).tokens.shape == (1, 16, 16)


@pytest.mark.parametrize("model_type", ["bert", "xlm-roberta"])
def test_forgotten_activations_give_the_same_gradients(model_type: str) -> None:
    """Computed again in the backward pass, dropout's draws included; nothing changes in evaluation."""
    encoder = TextEncoder(replace(TEXT, architecture={**TINY_BERT, "model_type": model_type}), n_conventions=0).train()
    ids, mask = sentences()
    results = []
    for forget in (False, True):
        if forget:
            encoder.checkpoint_activations()
        encoder.zero_grad()
        torch.manual_seed(1)
        kept: list[Tensor] = []
        with torch.autograd.graph.saved_tensors_hooks(partial(_keep, kept), lambda tensor: tensor):
            states = encoder(ids, mask)
        states.tokens.square().sum().backward()
        gradients = [p.grad.clone() for p in encoder.parameters() if p.grad is not None]
        results.append((sum(tensor.numel() for tensor in kept), gradients))
    (many, want), (few, got) = results
    torch.testing.assert_close(got, want)
    assert few < many / 2


def _keep(kept: list[Tensor], tensor: Tensor) -> Tensor:
    kept.append(tensor)
    return tensor


def test_image_encoders_forget_activations_too(tiny_vit: str, tiny_siglip: str) -> None:
    """Each library's own switch, except where the network is frozen and keeps none."""
    for name in (tiny_vit, tiny_siglip):
        encoder = VitEncoder(ImageConfig(library="open_clip", name=name, size=32)).train()
        photo = torch.randn(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
        gradients = []
        for forget in (False, True):
            if forget:
                encoder.checkpoint_activations()
            encoder.zero_grad()
            encoder(photo).square().sum().backward()
            gradients.append([p.grad.clone() for p in encoder.parameters() if p.grad is not None])
        torch.testing.assert_close(*gradients)
    CnnEncoder(replace(CNN, frozen=True)).checkpoint_activations()


def test_padding_does_not_enter_a_mean_sentence_vector() -> None:
    """The mean is over the sentence's own sub-words."""
    encoder = TextEncoder(replace(TEXT, sentence_vector="mean"), n_conventions=0).eval()
    ids, mask = sentences()
    states = encoder(ids, mask)
    torch.testing.assert_close(states.sentence[1], states.tokens[1, :3].mean(0))
    alone = encoder(ids[1:, :3], mask[1:, :3])
    torch.testing.assert_close(states.sentence[1], alone.sentence[0], atol=1e-5, rtol=1e-5)


def test_frozen_embeddings_are_left_alone() -> None:
    """``freeze_embeddings`` stops the table from learning and nothing else."""
    encoder = TextEncoder(replace(TEXT, freeze_embeddings=True), n_conventions=2)
    frozen = [name for name, p in encoder.named_parameters() if not p.requires_grad]
    assert frozen == ["model.embeddings.word_embeddings.weight"]


@pytest.mark.parametrize("load", [resolve_text, lambda config: load_pretrained_text(TextEncoder(
    replace(config, architecture=dict(TINY_BERT)), 0))])  # fmt: skip
def test_a_text_encoder_that_is_not_there_is_asked_for(load: object) -> None:
    """Neither folder nor hub: one sentence with the name."""
    with refused("'no/such-model'"):
        load(TextConfig(name="no/such-model"))


def test_weights_of_another_size_are_refused(tiny_bert: Path) -> None:
    """A folder whose weights lack layers of the architecture is named."""
    deeper = {**TINY_BERT, "num_hidden_layers": 3}
    encoder = TextEncoder(TextConfig(name=str(tiny_bert), architecture=deeper), n_conventions=0)
    with pytest.raises(InputError, match="weights do not fit the encoder: .*layer.2"):
        load_pretrained_text(encoder)


def test_an_unresolved_architecture_is_a_clear_error() -> None:
    """A config whose architecture is not known yet says what to call."""
    with pytest.raises(InputError, match="call resolve_text first"):
        TextEncoder(TextConfig(), n_conventions=0)


def test_a_missing_tokenizer_is_asked_for(tmp_path: Path) -> None:
    """A folder without a tokenizer gives one sentence with its name."""
    with pytest.raises(InputError, match="tokenizer '.*nothing'"):
        load_tokenizer(tmp_path / "nothing")


def test_torchvision_is_importable_beside_a_cpu_torch() -> None:
    """With its compiled part loading or not, transforms can be imported, twice over."""
    prepare_libraries()
    prepare_libraries()
    from torchvision import transforms

    assert transforms.Resize(4)(torch.zeros(3, 8, 8)).shape == (3, 4, 4)

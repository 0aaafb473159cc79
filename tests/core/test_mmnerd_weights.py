"""A whole checkpoint of the authors' form becomes our model: encoders, tag order, and what is wrong with a bad one."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
import torch
from torch import Tensor, nn

from mmner_core.checkpoints.folder import load_checkpoint
from mmner_core.checkpoints.mmnerd_weights import author_config, load_author_weights, map_author_weights
from mmner_core.config import ImageConfig, ModelConfig, TextConfig
from mmner_core.encoders.libraries import prepare_libraries
from mmner_core.errors import InputError
from mmner_core.network.model import MMNER
from mmner_core.presets import TINY_BERT, paper_code
from mmner_core.runtime.repository import REPOSITORY
from tests.told import refused

TAGS = ("O", "B-LOC", "I-LOC", "B-PER", "B-ORG", "I-PER", "I-ORG", "B-MISC", "I-MISC")
WIDTH, CHANNELS, TOKENS, ADDED = 16, 512, 5, 8


class Theirs(NamedTuple):
    """Encoders as their script builds them, and the whole checkpoint."""

    emb: nn.Module
    vit: nn.Module
    resnet: nn.Module
    state_dict: dict[str, Tensor]


def behind_encoders() -> dict[str, Tensor]:
    """Return random weights under their names."""
    shapes = {
        "text_dense_cl": (WIDTH, WIDTH),
        "text_output_cl": (WIDTH, WIDTH),
        "image_dense_cl": (WIDTH, TOKENS * WIDTH),
        "image_output_cl": (WIDTH, WIDTH),
        "image_dense_cl_resnet": (WIDTH, CHANNELS),
        "image_output_cl_resnet": (WIDTH, WIDTH),
        "dense_resnet": (WIDTH, CHANNELS),
        "dense_cat": (WIDTH, 2 * WIDTH),
        "w_txt": (WIDTH, WIDTH),
        "w_img": (WIDTH, WIDTH),
        "classifier": (len(TAGS), WIDTH),
    }
    for block in ("bert_att_vit", "bert_att_resnet"):
        shapes |= {f"{block}.self.{part}": (WIDTH, WIDTH) for part in ("query", "key", "value")}
        shapes[f"{block}.output.dense"] = (WIDTH, WIDTH)
    state = {f"{name}.weight": torch.randn(shape) for name, shape in shapes.items()}
    state |= {f"{name}.bias": torch.randn(shape[0]) for name, shape in shapes.items()}
    for block in ("bert_att_vit", "bert_att_resnet"):
        state |= {f"{block}.output.LayerNorm.{part}": torch.randn(WIDTH) for part in ("weight", "bias")}
    n = len(TAGS)
    state |= {"crf.start_transitions": torch.randn(n), "crf.end_transitions": torch.randn(n)}
    return state | {"crf.transitions": torch.randn(n, n), "contrastive_loss.temperature": torch.tensor(0.5)}


@pytest.fixture(scope="module")
def theirs() -> Theirs:
    """Build their three encoders, small, and a checkpoint with the names that their script saves."""
    prepare_libraries()
    from torchvision.models import resnet18
    from transformers import BertConfig, BertModel, CLIPVisionConfig, CLIPVisionModel

    torch.manual_seed(0)
    bert = BertModel(BertConfig(**{**TINY_BERT, "vocab_size": TINY_BERT["vocab_size"] + ADDED})).eval()
    vision = CLIPVisionConfig(hidden_size=WIDTH, intermediate_size=4 * WIDTH, num_hidden_layers=2,
                              num_attention_heads=2, image_size=32, patch_size=16)  # fmt: skip
    vit, resnet = CLIPVisionModel(vision).eval(), resnet18().eval()
    state = behind_encoders() | {f"emb.{name}": v for name, v in bert.state_dict().items()}
    state |= {f"vit.vision_model.{name.removeprefix('vision_model.')}": v for name, v in vit.state_dict().items()}
    state |= {f"my_resnet.resnet.{name}": v for name, v in resnet.state_dict().items()}
    state["emb.embeddings.position_ids"] = torch.arange(64)[None]  # older transformers stored it
    return Theirs(bert, vit, resnet, state)


@pytest.fixture(scope="module")
def base(tiny_vit: str) -> ModelConfig:
    """Return preset ``paper_code`` at the size of those encoders."""
    config = paper_code()
    assert config.cnn is not None
    return replace(
        config,
        text=TextConfig(name="tiny", architecture=dict(TINY_BERT), word_position="one_before"),
        vit=ImageConfig(library="open_clip", name=tiny_vit, size=32),
        cnn=replace(config.cnn, name="resnet18", pretrained=None, size=64),
        fusion=replace(config.fusion, heads=2),
    )


@pytest.fixture
def model(theirs: Theirs, base: ModelConfig) -> MMNER:
    """Build the model that the checkpoint needs."""
    return MMNER.build(author_config(theirs.state_dict, tags=TAGS, base=base)).eval()


def test_the_config_follows_the_checkpoint(theirs: Theirs, base: ModelConfig) -> None:
    """Types in the order of their tags, and as many sub-words as their table has rows."""
    config = author_config(theirs.state_dict, tags=TAGS, base=base)
    assert config.types == ("LOC", "PER", "ORG", "MISC")
    assert config.text.architecture is not None
    assert config.text.architecture["vocab_size"] == TINY_BERT["vocab_size"] + ADDED
    assert author_config(behind_encoders(), base=base) == base


@torch.no_grad()
def test_their_encoders_say_the_same_in_our_model(theirs: Theirs, model: MMNER) -> None:
    """Hugging Face's CLIP tower in open_clip's, torchvision's ResNet in timm's, BERT in ours: equal outputs."""
    kept = load_author_weights(model, theirs.state_dict, tags=TAGS)
    assert set(kept) == {"fusion.null_keys.vit", "fusion.null_keys.cnn"}
    small, large = torch.randn(2, 3, 32, 32), torch.randn(2, 3, 64, 64)
    want = theirs.vit(pixel_values=small).last_hidden_state
    torch.testing.assert_close(model.vit_encoder(small), want, atol=1e-5, rtol=1e-4)
    pooled = nn.Sequential(*list(theirs.resnet.children())[:-1])(large).flatten(1)
    torch.testing.assert_close(model.cnn_encoder(large).mean((2, 3)), pooled, atol=1e-4, rtol=1e-4)
    ids, mask = torch.tensor([[0, 5, 260, 2]]), torch.ones(1, 4, dtype=torch.long)
    states, text = model.text_encoder(ids, mask), theirs.emb(input_ids=ids, attention_mask=mask)
    torch.testing.assert_close(states.tokens, text.last_hidden_state, atol=1e-5, rtol=1e-4)
    torch.testing.assert_close(states.sentence, text.pooler_output, atol=1e-5, rtol=1e-4)


@pytest.mark.slow
def test_the_documented_conversion_makes_a_checkpoint(
    theirs: Theirs, base: ModelConfig, tokenizer_folder: Path, tmp_path: Path
) -> None:
    """The program in the README, but for its paths and the size of the encoders; what it writes can be loaded."""
    torch.save(theirs.state_dict, tmp_path / "theirs.pt")
    text = (REPOSITORY / "mmner_core/README.md").read_text(encoding="utf-8")
    program = next(p for p in re.findall(r"```python\n(.*?)```", text, re.DOTALL) if "author_config" in p)
    for written, here in (
        ('"theirs.pt"', repr(str(tmp_path / "theirs.pt"))),
        ("tags=TAGS))", "tags=TAGS, base=BASE))"),
        ('"checkpoints/theirs"', repr(str(tmp_path / "made"))),
        ('"bert-base-multilingual-cased"', repr(str(tokenizer_folder))),
    ):
        assert written in program
        program = program.replace(written, here)
    exec(compile(program, "README.md", "exec"), {"BASE": base})
    made = load_checkpoint(tmp_path / "made").model
    assert torch.equal(made.fusion.blocks["vit"].key.weight, theirs.state_dict["bert_att_vit.self.key.weight"])


def test_tags_are_brought_into_our_order(theirs: Theirs, model: MMNER) -> None:
    """Their script numbers tags as they appear; each tag keeps its row, and each pair of tags its transition."""
    load_author_weights(model, theirs.state_dict, tags=TAGS)
    state = theirs.state_dict
    for ours, tag in enumerate(model.labels.tags):
        row = TAGS.index(tag)
        assert torch.equal(model.classifier.weight[ours], state["classifier.weight"][row])
        assert model.crf.start_transitions[ours] == state["crf.start_transitions"][row]
        for other, after in enumerate(model.labels.tags):
            assert model.crf.transitions[ours, other] == state["crf.transitions"][row, TAGS.index(after)]


def test_without_encoders_the_rest_is_loaded(model: MMNER) -> None:
    """A checkpoint of what is behind the encoders leaves them as they are, and says so."""
    before = model.text_encoder.model.pooler["dense"].weight.clone()
    state = behind_encoders()
    kept = load_author_weights(model, state, tags=TAGS)
    assert torch.equal(model.fusion.dense.weight, state["dense_cat.weight"])
    assert torch.equal(model.text_encoder.model.pooler["dense"].weight, before)
    encoders = {name.split(".")[0] for name in kept}
    assert encoders == {"text_encoder", "vit_encoder", "cnn_encoder", "fusion"}


def test_a_text_only_checkpoint_makes_a_text_only_model(theirs: Theirs, base: ModelConfig) -> None:
    """Trained without images, it holds encoder, classifier and CRF; so does the model."""
    state = {n: v for n, v in theirs.state_dict.items() if n.split(".")[0] in ("emb", "classifier", "crf")}
    config = author_config(state, tags=TAGS, base=base)
    model = MMNER.build(config)
    assert (config.vit, config.cnn, config.fusion.streams) == (None, None, ())
    assert load_author_weights(model, state, tags=TAGS) == ("contrastive.log_inverse_temperature",)


def test_a_foreign_tensor_is_named() -> None:
    """A checkpoint of another model is refused, with the tensors that gave it away."""
    with refused("2 tensors", "head.bias", "vit.x"):
        map_author_weights({**behind_encoders(), "head.bias": torch.zeros(1), "vit.x": torch.zeros(1)})


@pytest.mark.parametrize(
    ("dropped", "message"),
    [
        ("dense_cat.bias", "1 .* fusion.dense.bias"),
        ("vit.vision_model.encoder.layers.1.self_attn.q_proj.bias", "ViT .*resblocks.1.attn.in_proj.q.bias"),
        ("my_resnet.resnet.bn1.running_var", "1 .* cnn_encoder.model.bn1.running_var"),
        ("contrastive_loss.temperature", "contrastive.log_inverse_temperature"),
    ],
)
def test_a_missing_tensor_is_named(theirs: Theirs, model: MMNER, dropped: str, message: str) -> None:
    """Half an encoder or half a module is refused."""
    state = {name: value for name, value in theirs.state_dict.items() if name != dropped}
    with pytest.raises(InputError, match=message):
        load_author_weights(model, state, tags=TAGS)


def test_another_size_is_named(theirs: Theirs, base: ModelConfig) -> None:
    """Their larger vocabulary does not fit a model built without asking the checkpoint; the message says what to do."""
    with refused("word_embeddings.weight", "[264, 16]", "[256, 16]", "author_config"):
        load_author_weights(MMNER.build(base), theirs.state_dict)


def test_wrong_tags_are_refused(model: MMNER) -> None:
    """Tags that are not the model's cannot be brought into its order."""
    with refused("B-DRUG", "O, B-LOC"):
        load_author_weights(model, behind_encoders(), tags=("B-DRUG", *TAGS[1:]))


def test_a_model_that_would_misread_the_weights_is_refused(base: ModelConfig) -> None:
    """Untrained queries, or streams in another order, fit by shape and would be wrong in silence."""
    own = MMNER.build(replace(base, fusion=replace(base.fusion, query="own")))
    with pytest.raises(InputError, match="tied_to_key"):
        load_author_weights(own, behind_encoders())
    swapped = MMNER.build(replace(base, fusion=replace(base.fusion, streams=("cnn", "vit"))))
    with pytest.raises(InputError, match="streams vit and cnn, in this order"):
        load_author_weights(swapped, behind_encoders())

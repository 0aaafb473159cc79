"""Named models: a preset is a function that returns a whole config; a variant changes a line or two."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from mmner_core.config import AlignmentConfig, FusionConfig, ImageConfig, ModelConfig, TextConfig
from mmner_core.errors import InputError

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)
CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
CLIP_STD = (0.26862954, 0.26130258, 0.27577711)
STRETCH = 1.5
"""Photos up to 3:2 are read whole, squeezed to a square: heads, feet and the titles of posters are at the ends."""
TINY_BERT = {
    "model_type": "bert",
    "vocab_size": 256,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 1,
}


def paper() -> ModelConfig:
    """2M-NER at the paper's size: mBERT, CLIP ViT-B/32, ResNet-152, with the authors' oversights put right."""
    return ModelConfig(
        text=TextConfig(name="bert-base-multilingual-cased"),
        # OpenAI trained CLIP with an approximate GELU; open_clip's plain "ViT-B-32" computes the exact one.
        vit=ImageConfig(
            library="open_clip",
            name="ViT-B-32-quickgelu",
            pretrained="openai",
            mean=CLIP_MEAN,
            std=CLIP_STD,
            train_crop="centre",  # CLIP's processor cuts the centre, in training too
        ),
        cnn=ImageConfig(
            library="timm",
            name="resnet152.tv_in1k",
            pretrained="default",
            crop_fraction=0.875,
            interpolation="bilinear",
            mean=IMAGENET_MEAN,
            std=IMAGENET_STD,
            frozen=True,
        ),
    )


def paper_code() -> ModelConfig:
    """The model as the authors' code computes it, oversights included (docstrings of ``config`` name each)."""
    model = paper()
    assert model.cnn is not None  # noqa: S101 (paper() sets it)
    return replace(
        model,
        text=replace(model.text, word_position="one_before"),
        cnn=replace(model.cnn, batchnorm_drifts=True, random_crop_at_test=True, resized=False),
        fusion=replace(model.fusion, query="tied_to_key", cnn_keys="pooled"),
        alignment=replace(model.alignment, mask_same_image=False),
        crf_constrained=False,
        seqeval_strict=False,
    )


def xlmr_siglip() -> ModelConfig:
    """The same design from later encoders: XLM-R, and a frozen SigLIP 2 tower, so that its tokens are computed once."""
    return ModelConfig(
        text=TextConfig(name="xlm-roberta-base", sentence_vector="mean"),
        vit=ImageConfig(
            library="open_clip",
            name="ViT-B-32-SigLIP2-256",
            pretrained="webli",
            size=256,
            train_crop="centre",
            frozen=True,
        ),
        fusion=FusionConfig(streams=("vit",), null_sink=True, word_residual=True),
        alignment=AlignmentConfig(streams=("vit",), vit_pooling="mean", temperature=0.07, learn_temperature=True),
        alpha=0.9,
    )


def mini() -> ModelConfig:
    """The shipped model: a 12-layer encoder of width 384 and one small CNN that feeds both image streams."""
    return ModelConfig(
        conventions=("wiki", "caption", "post"),
        text=TextConfig(
            name="e5-small-4lang",
            sentence_vector="mean",
            freeze_embeddings=True,
            early_layer=4,  # recall@10 on valid: 26.1 with the last layer alone, 40.1 with this one beside it
            attention_dropout=0.0,
        ),
        cnn=ImageConfig(
            library="timm",
            name="tf_efficientnet_lite0",
            pretrained="tf_efficientnet_lite0/model.safetensors",
            size=320,  # ten by ten cells: persons' boxes are hit in 90 %, at 224 pixels in 71 %
            stretch=STRETCH,
            frozen=True,
        ),
        fusion=FusionConfig(heads=6, null_sink=True, word_residual=True, grounded=True, gated=True),
        alignment=AlignmentConfig(streams=("cnn",), text="names", temperature=0.07, learn_temperature=True),
        alpha=0.9,
    )


def reading_only(model: ModelConfig) -> ModelConfig:
    """Return the text tagger of a model: its encoder, classifier and CRF, and no image stream."""
    return replace(
        model,
        vit=None,
        cnn=None,
        text=replace(model.text, early_layer=None),
        fusion=replace(model.fusion, streams=(), grounded=False, gated=False),
        alignment=replace(model.alignment, streams=()),
        alpha=1.0,
    )


def tiny() -> ModelConfig:
    """A model of a hundred thousand weights that needs no file, for tests: same parts, same code."""
    return ModelConfig(
        conventions=("wiki", "caption"),
        text=TextConfig(name="tiny", architecture=dict(TINY_BERT), sentence_vector="mean"),
        cnn=ImageConfig(library="timm", name="test_efficientnet", size=64),
        fusion=FusionConfig(heads=2, null_sink=True),
        alignment=AlignmentConfig(streams=("vit", "cnn"), vit_pooling="mean"),
    )


def tiny_grounded() -> ModelConfig:
    """The tiny model with grounded attention."""
    model = tiny()
    return replace(model, fusion=replace(model.fusion, word_residual=True, grounded=True, gated=True))


PRESETS: dict[str, Callable[[], ModelConfig]] = {
    f.__name__: f for f in (paper, paper_code, xlmr_siglip, mini, tiny, tiny_grounded)
}


def preset(name: str) -> ModelConfig:
    """Return the config of that name.

    Raises:
        InputError: listing the names there are.
    """
    if name not in PRESETS:
        raise InputError(f"There is no preset {name!r}; choose one of {', '.join(PRESETS)}.")
    return PRESETS[name]()

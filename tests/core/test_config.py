"""Configs survive JSON, and a wrong one says which field is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from mmner_core.config import AlignmentConfig, FusionConfig, ImageConfig, ModelConfig, TextConfig
from mmner_core.errors import InputError
from mmner_core.presets import PRESETS, paper, paper_code, preset, tiny
from tests.told import refused


@pytest.mark.parametrize("build", PRESETS.values(), ids=PRESETS)
def test_every_preset_survives_json(build: Callable[[], ModelConfig]) -> None:
    """Written and read back it is the same config, tuples included."""
    config = build()
    assert ModelConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def change(path: str, value: Any) -> dict[str, Any]:
    """Return preset tiny as plain data with one field changed or added."""
    record = json.loads(json.dumps(tiny().to_dict()))
    *parents, name = path.split(".")
    inner = record
    for parent in parents:
        inner = inner[parent]
    inner[name] = value
    return record


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("colour", "red"),
        ("text.colour", "red"),
        ("fusion.heads", "many"),
        ("fusion.query", "keys"),
        ("fusion.streams", ["vit", "audio"]),
        ("cnn.size", None),
        ("cnn.library", "torch"),
        ("alignment.temperature", [1]),
        ("types", "PER"),
        ("text", None),
    ],
)
def test_a_wrong_field_is_named(path: str, value: Any) -> None:
    """An unknown field, or one of the wrong type or value, is refused with its path and the file's name."""
    with pytest.raises(InputError, match=rf"^model/config\.json: field {path.replace('.', '[.]')}"):
        ModelConfig.from_dict(change(path, value), "model/config.json")


@pytest.mark.parametrize("version", [2, None, "1"])
def test_another_format_version_is_refused(version: object) -> None:
    """A checkpoint of a newer program is not guessed at."""
    with refused("config.json", "format_version", "reads 1"):
        ModelConfig.from_dict(change("format_version", version))


CNN = ImageConfig(library="timm", name="any")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"alpha": 1.5}, "alpha.*\\[0, 1\\].*1\\.5"),
        ({"conventions": ("wiki", "wiki")}, "conventions"),
        ({"vit": CNN}, "'cnn' stream"),
        ({"fusion": FusionConfig(streams=("vit",)), "alignment": AlignmentConfig(streams=())}, "'vit' stream"),
    ],
)
def test_contradictions_are_refused(fields: dict[str, Any], message: str) -> None:
    """A config that cannot be built is refused when it is made, not when it is used."""
    with pytest.raises(InputError, match=f"(?i){message}"):
        ModelConfig(**fields)


def test_stretch_is_a_ratio_of_at_least_one() -> None:
    """A photo cannot be squeezed to less than a square, nor when it is to be left as it is."""
    with refused("stretch", "at least 1", "got 0.5"):
        ImageConfig(library="timm", name="any", stretch=0.5)
    with pytest.raises(InputError, match="one of the two"):
        ImageConfig(library="timm", name="any", stretch=1.5, resized=False)


def test_a_crop_fraction_is_a_share() -> None:
    """It lies above 0 and up to 1."""
    with refused("crop_fraction", "(0, 1]", "got 0"):
        ImageConfig(library="timm", name="any", crop_fraction=0)


@pytest.mark.parametrize(
    ("fields", "constant"),
    [
        ({}, False),
        ({"frozen": True}, True),
        ({"frozen": True, "batchnorm_drifts": True}, False),
        ({"frozen": True, "random_crop_at_test": True}, False),
    ],
)
def test_only_an_encoder_that_never_changes_is_constant(fields: dict[str, Any], constant: bool) -> None:
    """Features are computed once only where weights, statistics and crops stay as they are."""
    assert replace(CNN, **fields).is_constant is constant


def test_a_text_only_model_needs_no_image_encoder() -> None:
    """No streams, no encoders."""
    config = ModelConfig(
        text=TextConfig(), fusion=FusionConfig(streams=()), alignment=AlignmentConfig(streams=()), alpha=1.0
    )
    assert config.vit is None and config.cnn is None


def test_paper_code_has_each_oddity_of_the_authors_code() -> None:
    """Every fact that a faithful port must know differs between ``paper`` and ``paper_code``."""
    sensible, theirs = paper(), paper_code()
    assert (sensible.text.word_position, theirs.text.word_position) == ("first_subword", "one_before")
    assert (sensible.fusion.query, theirs.fusion.query) == ("own", "tied_to_key")
    assert (sensible.fusion.cnn_keys, theirs.fusion.cnn_keys) == ("grid", "pooled")
    assert sensible.cnn is not None and theirs.cnn is not None
    assert (sensible.cnn.random_crop_at_test, theirs.cnn.random_crop_at_test) == (False, True)
    assert (sensible.cnn.batchnorm_drifts, theirs.cnn.batchnorm_drifts) == (False, True)
    assert (sensible.seqeval_strict, theirs.seqeval_strict) == (True, False)
    assert (sensible.crf_constrained, theirs.crf_constrained) == (True, False)
    assert (sensible.alignment.mask_same_image, theirs.alignment.mask_same_image) == (True, False)


def test_an_unknown_preset_lists_those_there_are() -> None:
    """The message names every preset."""
    with refused("'huge'", "paper", "paper_code", "xlmr_siglip", "mini", "tiny"):
        preset("huge")
    assert preset("tiny") == replace(tiny())

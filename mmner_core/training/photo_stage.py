"""From a text tagger to a model with a trained eye: an image encoder that tells types, and the reader of its cells."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from pathlib import Path

import torch

from mmner_core.checkpoint import Checkpoint, load_checkpoint, save_checkpoint
from mmner_core.config import ModelConfig
from mmner_core.digests import file_digest
from mmner_core.encoders.image import load_pretrained_image
from mmner_core.errors import InputError
from mmner_core.model import MMNER
from mmner_core.training.boxed_photos import read_boxed_photos
from mmner_core.training.card import render_card
from mmner_core.training.drawn_scenes import Scenes
from mmner_core.training.finish import describe_training
from mmner_core.training.photo_types import PhotoTypesConfig, train_photo_types
from mmner_core.training.typed_photos import read_typed_photos

TEXT_PARTS = ("text_encoder.", "classifier.", "crf.")


def train_photo_stage(
    init: Path,
    preset: ModelConfig,
    pairs: Path,
    images: Path,
    out: Path,
    config: PhotoTypesConfig | None = None,
    *,
    boxes: Path | None = None,
    boxed_images: Path | None = None,
    command: str = "",
) -> Path:
    """Give a text tagger the eye of a preset, train it on the types of photos and write ``out/checkpoint``.

    No weight of the text is touched. What lies between text and photo has random weights yet.

    Args:
        init: checkpoint folder to begin with.
        preset: the model whose image encoders to take where the checkpoint has none.
        pairs: the pair table.
        images: folder of its photos.
        out: folder of the run; what it holds of an interrupted run is resumed.
        config: hyper-parameters; None: the defaults.
        boxes: JSON lines of photos with boxes; None: none.
        boxed_images: folder of those photos.
        command: what to record as the way to repeat it.

    Raises:
        InputError: if the model has no grounded attention, or a table or photo is missing or malformed.
    """
    config = config or PhotoTypesConfig()
    torch.manual_seed(config.seed)
    model = with_eyes(load_checkpoint(init), preset)
    if model.grounding is None:
        raise InputError("This model's attention is not grounded, so that it has no reader of cells to train.")
    name = next(iter(model.grounding.readers))
    encoder = model.vit_encoder if name == "vit" else model.cnn_encoder
    assert encoder is not None  # noqa: S101 (a reader is built for an encoder)
    types = model.config.types
    tables = {"pairs": pairs, **({} if boxes is None else {"boxes": boxes})}
    train, valid = (
        Scenes(
            read_typed_photos(pairs, images, split, types),
            [] if boxes is None else read_boxed_photos(boxes, boxed_images or boxes.parent, split, types),
            types,
            encoder.grid,
            config.shares,
        )
        for split in ("train", "valid")
    )
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began = time.time()
    reader = model.grounding.readers[name]
    digests = {
        f"{part}:{table.parent.name}/{table.name}": file_digest(table)
        for table in tables.values()
        for part in ("train", "valid")
    }
    history = train_photo_types(encoder.to(device), reader.to(device), train, valid, out, config, digests)  # type: ignore[arg-type]
    model.eval().cpu()
    metrics = {"valid": [], "photo_types": {"scenes": config.valid_scenes, "epochs": history}}
    provenance = {
        **describe_training(
            name="photos",
            command=command,
            seed=config.seed,
            init=str(init),
            data=digests,
            device=device,
            times=(began, time.time()),
        ),
        "hyper_parameters": asdict(config),
    }
    card = render_card(model.config, metrics, provenance)
    return save_checkpoint(out / "checkpoint", model, init, metrics=metrics, provenance=provenance, card=card)


def with_eyes(checkpoint: Checkpoint, preset: ModelConfig) -> MMNER:
    """Return a model of the preset's form with a checkpoint's text tagger; one that has eyes already keeps them.

    Raises:
        InputError: if pretrained image weights are not to be had.
    """
    held = checkpoint.model
    if held.sees:
        return held
    config = replace(preset, types=held.config.types, conventions=held.config.conventions, text=held.config.text)
    model = MMNER.build(config)
    text = {name: value for name, value in held.state_dict().items() if name.startswith(TEXT_PARTS)}
    lacking = model.load_state_dict(text, strict=False)
    assert not any(name.startswith(TEXT_PARTS) for name in lacking.missing_keys)  # noqa: S101 (both are of one form)
    for encoder in (model.vit_encoder, model.cnn_encoder):
        if encoder is not None:
            load_pretrained_image(encoder)
    return model

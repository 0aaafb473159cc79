"""From a checkpoint to one whose eye is trained: whole photos instead of their centre, and a CNN that tells types."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path

import torch

from mmner_core.checkpoint import load_checkpoint, save_checkpoint
from mmner_core.digests import file_digest
from mmner_core.model import MMNER
from mmner_core.presets import seeing_whole
from mmner_core.training.card import render_card
from mmner_core.training.finish import describe_training
from mmner_core.training.photo_types import PhotoTypesConfig, train_photo_types
from mmner_core.training.typed_photos import read_typed_photos


def train_photo_stage(
    init: Path,
    pairs: Path,
    images: Path,
    out: Path,
    config: PhotoTypesConfig | None = None,
    *,
    command: str = "",
) -> Path:
    """Tune a checkpoint's CNN on the types of photos and write ``out/checkpoint``; all else stays as it was.

    Args:
        init: checkpoint folder to begin with.
        pairs: the pair table.
        images: folder of its photos.
        out: folder of the run.
        config: hyper-parameters; None: the defaults.
        command: what to record as the way to repeat it.

    Raises:
        InputError: if the checkpoint has no CNN, or the table or a photo is missing or malformed.
    """
    config = config or PhotoTypesConfig()
    checkpoint = load_checkpoint(init)
    model = MMNER.build(seeing_whole(checkpoint.model.config))
    model.load_state_dict(checkpoint.model.state_dict())
    assert model.cnn_encoder is not None  # noqa: S101 (seeing_whole asks for it)
    types = model.config.types
    train, valid = (read_typed_photos(pairs, images, split, types) for split in ("train", "valid"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began = time.time()
    history = train_photo_types(model.cnn_encoder.to(device), train, valid, config)
    model.eval().cpu()
    metrics = {"valid": [], "photo_types": {"photos": len(valid.files), "epochs": history}}
    digests = {f"{part}:{pairs.parent.name}/{pairs.name}": file_digest(pairs) for part in ("train", "valid")}
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

"""The training stage that gives a text tagger an image encoder and a cell classifier trained on entity types."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch

from mmner_core.checkpoints.folder import Checkpoint, load_checkpoint, save_checkpoint
from mmner_core.config import ModelConfig
from mmner_core.encoders.image import CnnEncoder, VitEncoder, load_pretrained_image
from mmner_core.errors import InputError
from mmner_core.network.linear import BatchInvariantLinear
from mmner_core.network.model import MMNER
from mmner_core.runtime.digests import file_digest
from mmner_core.training.card import render_card
from mmner_core.training.finish import describe_training
from mmner_core.training.images.boxed_photos import read_boxed_photos
from mmner_core.training.images.cell_types import PhotoTypesConfig, train_photo_types
from mmner_core.training.images.drawn_scenes import Scenes, SceneShares
from mmner_core.training.images.typed_photos import read_typed_photos

TEXT_PARTS = ("text_encoder.", "classifier.", "crf.")


@dataclass(frozen=True, slots=True, kw_only=True)
class PhotoData:
    """Where the photos of the stage are.

    Attributes:
        pairs: the pair table.
        images: folder of its photos.
        boxes: JSON lines of photos with boxes; None: none.
        box_images: folder of those photos.
    """

    pairs: Path
    images: Path
    boxes: Path | None = None
    box_images: Path | None = None

    def scenes(self, split: str, types: Sequence[str], grid: tuple[int, int], shares: SceneShares) -> Scenes:
        """Return the generator of scenes of a split.

        Raises:
            InputError: if a table or photo is missing or malformed.
        """
        boxed = (
            []
            if self.boxes is None
            else read_boxed_photos(self.boxes, self.box_images or self.boxes.parent, split, types)
        )
        return Scenes(read_typed_photos(self.pairs, self.images, split, types), boxed, types, grid, shares)

    def digests(self) -> dict[str, str]:
        """Return the SHA-256 of each table, by "role:path"."""
        tables = [table for table in (self.pairs, self.boxes) if table is not None]
        return {f"{r}:{t.parent.name}/{t.name}": file_digest(t) for t in tables for r in ("train", "valid")}


def train_photo_stage(
    init: Path,
    preset: ModelConfig,
    data: PhotoData,
    out: Path,
    config: PhotoTypesConfig | None = None,
    *,
    command: str = "",
) -> Path:
    """Give a text tagger the image encoder of a preset, train it on the types of photos and write ``out/checkpoint``.

    No weight of the text is touched. What lies between text and photo has random weights yet.

    Args:
        init: checkpoint folder to begin with.
        preset: the model whose image encoders to take where the checkpoint has none.
        data: the photos.
        out: folder of the run; what it holds of an interrupted run is resumed.
        config: hyper-parameters; None: the defaults.
        command: what to record as the way to repeat it.

    Raises:
        InputError: if the model has no grounded attention, or a table or photo is missing or malformed.
    """
    config = config or PhotoTypesConfig()
    torch.manual_seed(config.seed)
    model = with_eyes(load_checkpoint(init), preset)
    encoder, reader = _eye(model)
    train, valid = (data.scenes(s, model.config.types, encoder.grid, config.shares) for s in ("train", "valid"))
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    began, digests = time.time(), data.digests()
    history = train_photo_types(encoder.to(device), reader.to(device), train, valid, out, config, digests)
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


def _eye(model: MMNER) -> tuple[CnnEncoder | VitEncoder, BatchInvariantLinear]:
    """Return the image encoder that has a cell classifier, and the classifier."""
    if model.grounding is None:
        raise InputError("This model's attention is not grounded, so it has no cell classifier to train.")
    name, reader = next(iter(model.grounding.readers.items()))
    encoder = model.vit_encoder if name == "vit" else model.cnn_encoder
    assert encoder is not None and isinstance(reader, BatchInvariantLinear)  # noqa: S101 (a reader is built for an encoder)
    return encoder, reader


def with_eyes(checkpoint: Checkpoint, preset: ModelConfig) -> MMNER:
    """Return a model of the preset's form with a checkpoint's text tagger and, if it has one, image encoder.

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

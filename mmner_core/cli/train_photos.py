"""``train-photos``: trains an image encoder to recognise what is where in a photo."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.options import to_folder


def train_photos(
    init: Annotated[Path, typer.Option(help="Checkpoint folder to begin with, such as that of a text tagger.")],
    pairs: Annotated[Path, typer.Option(help="Pair table (TSV) with the columns id, split, type and note.")],
    images: Annotated[Path, typer.Option(help="Folder of its photos.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the run; what it holds of the same run is resumed.", callback=to_folder)
    ],
    boxes: Annotated[
        Path | None, typer.Option(help="JSON lines of photos with boxes: image, name, type, boxes, split.")
    ] = None,
    box_images: Annotated[
        Path | None, typer.Option(help="Folder of these photos.", show_default="images, beside the file")
    ] = None,
    preset: Annotated[str, typer.Option(help="Model whose image encoders a text tagger gets.")] = "mini",
    weights: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of pretrained encoders; see train.", show_default=False),
    ] = None,
    epochs: Annotated[int | None, typer.Option(min=1, help="Rounds of training.", show_default="4")] = None,
    scenes: Annotated[int | None, typer.Option(min=1, help="Scenes per epoch.", show_default="4000")] = None,
    trainable: Annotated[
        list[str] | None,
        typer.Option(
            help="Beginning of the names of encoder weights that learn; may be given several times.",
            show_default="the later stages of an EfficientNet",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="19")] = None,
) -> None:
    """Train a checkpoint's image encoder and its cell classifier to recognise types, and write OUT/checkpoint."""
    from dataclasses import replace

    from mmner_core import presets
    from mmner_core.encoders.weights import use_weights
    from mmner_core.errors import InputError
    from mmner_core.training.images.cell_types import PhotoTypesConfig
    from mmner_core.training.images.stage import PhotoData, train_photo_stage

    use_weights(weights or [])
    for table in (pairs, boxes):
        if table is not None and not table.is_file():
            raise InputError(f"There is no table {table}.")
    settings: dict[str, Any] = {
        "epochs": epochs,
        "scenes": scenes,
        "trainable": tuple(trainable or ()) or None,
        "seed": seed,
    }
    config = replace(PhotoTypesConfig(), **{name: value for name, value in settings.items() if value is not None})
    command = shlex.join(["python", "-m", "mmner_core", *sys.argv[1:]])
    data = PhotoData(
        pairs=pairs,
        images=images,
        boxes=boxes,
        box_images=box_images or (None if boxes is None else boxes.parent / "images"),
    )
    typer.echo(train_photo_stage(init, presets.preset(preset), data, out, config, command=command))

"""``train-photos``: the CNN of a checkpoint learns what photos show."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.options import to_folder


def train_photos(
    init: Annotated[Path, typer.Option(help="Checkpoint folder to begin with.")],
    pairs: Annotated[Path, typer.Option(help="Pair table (TSV) with the columns id, split, type and note.")],
    images: Annotated[Path, typer.Option(help="Folder of its photos.")],
    out: Annotated[Path, typer.Option(help="Folder of the run.", callback=to_folder)],
    epochs: Annotated[int | None, typer.Option(min=1, help="Times to read all photos.", show_default="3")] = None,
    trainable: Annotated[
        list[str] | None,
        typer.Option(
            help="Beginning of the names of CNN weights that learn; may be given several times.",
            show_default="the later stages of an EfficientNet",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random.", show_default="19")] = None,
) -> None:
    """Tune a checkpoint's CNN to tell the types of what photos show and write OUT/checkpoint."""
    from dataclasses import replace

    from mmner_core.errors import InputError
    from mmner_core.training.photo_stage import train_photo_stage
    from mmner_core.training.photo_types import PhotoTypesConfig

    if not pairs.is_file():
        raise InputError(f"There is no pair table {pairs}.")
    settings: dict[str, Any] = {"epochs": epochs, "trainable": tuple(trainable or ()) or None, "seed": seed}
    config = replace(PhotoTypesConfig(), **{name: value for name, value in settings.items() if value is not None})
    command = shlex.join(["python", "-m", "mmner_core", *sys.argv[1:]])
    typer.echo(train_photo_stage(init, pairs, images, out, config, command=command))

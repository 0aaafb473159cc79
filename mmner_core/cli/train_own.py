"""``train own``: a user's own data, from files to a checkpoint."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mmner_core.cli.options import Map, to_folder


def train_own(
    train: Annotated[
        list[Path],
        typer.Option(metavar="FILE...", help="Tagged sentences to learn from; of a folder, its split train."),
    ],
    valid: Annotated[
        list[Path], typer.Option(metavar="FILE...", help="Others, to choose the best epoch by; of a folder, valid.")
    ],
    out: Annotated[
        Path, typer.Option(help="Folder of the run; what it holds of the same run is resumed.", callback=to_folder)
    ],
    test: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE...", help="Others, scored once in the end; of a folder, test.", show_default=False),
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the photos.", show_default="images beside each file, if there")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Checkpoint folder to begin with.", show_default="checkpoints/mini")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Model to train from pretrained encoders instead, such as paper.", show_default=False
        ),
    ] = None,
    keep: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE...",
            help="Data that the checkpoint knew before, such as its old validation data: scored before and after.",
            show_default=False,
        ),
    ] = None,
    convention: Annotated[
        str | None,
        typer.Option(
            metavar="NAME", help="Convention of the checkpoint to learn by; see info.", show_default="its default"
        ),
    ] = None,
    map_: Map = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(help="Folder of pretrained encoders, for --preset; see train.", show_default=False),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="A hyper-parameter to choose yourself.", show_default=False),
    ] = None,
) -> None:
    """Train on your own data and write OUT/checkpoint.

    Any tagged files or folders that evaluate reads, with any types, in any language. It says what it will do and for
    how long before it starts; an option that names files takes several.
    """
    from mmner_core.data.type_names import TypeNames
    from mmner_core.encoders.weights import use_weights
    from mmner_core.runtime.repository import SHIPPED
    from mmner_core.training.own.run import train_own as run
    from mmner_core.training.own.task import OwnTask

    use_weights(weights or [])
    task = OwnTask(
        train=tuple(train),
        valid=tuple(valid),
        test=tuple(test or ()),
        keep=tuple(keep or ()),
        out=out,
        images=images,
        init=SHIPPED if init is None and preset is None else init,
        preset=preset,
        convention=convention,
        names=TypeNames.parse(map_ or ()),
        settings=tuple(set_ or ()),
        command=shlex.join(["python", "-m", "mmner_core", *sys.argv[1:]]),
    )
    typer.echo(run(task, lambda text: typer.echo(text, err=True)))

"""``train``: a named run, from data to checkpoint."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import Annotated

import typer

from mmner_core.cli.options import to_folder


def train(
    name: Annotated[str, typer.Argument(help="Name of the run, such as mini.")],
    data: Annotated[Path, typer.Option(help="Folder that the run's data sets lie in.")],
    out: Annotated[
        Path, typer.Option(help="Folder of the run; what it holds of the same run is resumed.", callback=to_folder)
    ],
    tokenizer: Annotated[
        str | None, typer.Option(help="Folder or hub name.", show_default="that of --init, else the text encoder's own")
    ] = None,
    init: Annotated[
        Path | None, typer.Option(help="Checkpoint folder to begin with.", show_default="pretrained encoders")
    ] = None,
    weights: Annotated[
        list[Path] | None,
        typer.Option(
            help="Folder of pretrained encoders, or a .safetensors file named after one; may be given several times. "
            "MMNER_WEIGHTS names more; what is in neither comes from the hub.",
            show_default=False,
        ),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", help="A hyper-parameter of the run, as NAME=VALUE; repeatable.", show_default=False),
    ] = None,
) -> None:
    """Train a named run and write OUT/checkpoint; for your own data see train own --help."""
    from mmner_core.encoders.weights import use_weights
    from mmner_core.errors import InputError
    from mmner_core.training.finish import train_named

    use_weights(weights or [])
    if not data.is_dir():
        raise InputError(f"There is no data folder {data}.")
    command = shlex.join(["python", "-m", "mmner_core", *sys.argv[1:]])
    typer.echo(train_named(name, data, out, tokenizer, init=init, settings=set_ or (), command=command))

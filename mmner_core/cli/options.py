"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Checkpoint = Annotated[Path, typer.Option(help="Folder of the model.", show_default="checkpoints/mini")]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="en|fr|de|es", help="Language; detected where it is not given.")
]
Convention = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="Annotation convention to read by, such as wiki or caption; see info."),
]
Map = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="OLD=NEW",
        help="What a type of the data is to be called, such as PERSON=PER; OLD=O leaves its names out; repeatable.",
        show_default=False,
    ),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace the output file if it exists.")]

"""Options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmner_core.errors import InputError
from mmner_core.runtime.streams import STANDARD_INPUT, STANDARD_OUTPUT
from mmner_core.text.language_names import LANGUAGES

_DASH = Path("-")


def from_stream(path: Path | None) -> Path | None:
    """Read ``-`` as standard input; the callback of an option or argument that names a file to read."""
    return STANDARD_INPUT if path == _DASH else path


def to_stream(path: Path | None) -> Path | None:
    """Read ``-`` as standard output; the callback of an option or argument that names a file to write."""
    return STANDARD_OUTPUT if path == _DASH else path


def to_folder(path: Path | None) -> Path | None:
    """Refuse ``-``; the callback of an option that names a folder to write.

    Raises:
        InputError: since a folder cannot go to standard output; whoever has one of that name writes ``./-``.
    """
    if path == _DASH:
        raise InputError("The output is a folder, which cannot go to standard output (-); name one.")
    return path


TaggedData = Annotated[
    Path,
    typer.Option(
        help=f"Tagged file, or folder with test.txt or with folders {', '.join(LANGUAGES)}. - is standard input.",
        callback=from_stream,
    ),
]
Checkpoint = Annotated[Path, typer.Option(help="Folder of the model.", show_default="checkpoints/mini")]
Language = Annotated[
    str | None, typer.Option("--lang", metavar="|".join(LANGUAGES), help="Language; detected where it is not given.")
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

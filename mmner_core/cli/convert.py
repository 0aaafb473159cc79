"""``convert``: rewrite a data file in another format."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from mmner_core.cli.options import Json, Map, Overwrite, from_stream, to_stream
from mmner_core.cli.output import print_json, print_out
from mmner_core.runtime.streams import descriptor


def convert(
    source: Annotated[
        Path,
        typer.Argument(
            help="File of tagged sentences, or a Hugging Face data set. - is standard input.", callback=from_stream
        ),
    ],
    target: Annotated[
        Path,
        typer.Argument(help="File to write; for --to disk a folder. - is standard output.", callback=to_stream),
    ],
    target_format: Annotated[
        str,
        typer.Option(
            "--to",
            metavar="mmnerd|conll|conllu|parquet|disk",
            help="Format to write; parquet and disk are data sets for Hugging Face datasets.",
        ),
    ],
    source_format: Annotated[
        str, typer.Option("--from", metavar="auto|mmnerd|conll|conllu", help="Format to read.")
    ] = "auto",
    images: Annotated[Path | None, typer.Option(help="Folder of photos to put into a data set.")] = None,
    split: Annotated[str | None, typer.Option(metavar="train|valid|test", help="Split of a data set.")] = None,
    map_: Map = None,
    overwrite: Overwrite = False,
    json: Json = False,
) -> None:
    """Rewrite a file of tagged sentences in another format, and report what was repaired or left out."""
    from mmner_core.data import convert as rewrite
    from mmner_core.data.type_names import TypeNames

    report = rewrite(
        source,
        target,
        source_format=source_format,
        target_format=target_format,
        overwrite=overwrite,
        images=images,
        split=split,
        names=TypeNames.parse(map_ or ()),
    )
    carries_data = descriptor(target) == 1
    if json:
        print_json({"target": str(target), **asdict(report)}, err=carries_data)
    else:
        print_out(f"{target}: {report.summary()}", err=carries_data)

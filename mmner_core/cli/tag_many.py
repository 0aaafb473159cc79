"""``tag-many``: tags millions of pairs, resumable, on one machine or a cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, get_args

import typer

from mmner_core.cli.options import Checkpoint, Convention, Json, Language, from_stream, to_folder
from mmner_core.cli.output import print_json
from mmner_core.errors import InputError
from mmner_core.runtime.repository import SHIPPED


def tag_many(
    source: Annotated[
        Path,
        typer.Option(
            "--input",
            help="Parquet, Arrow or JSONL file, or a folder of them; columns text or words, image, lang, convention, "
            "id, all but the first optional; others are handed through.",
            callback=from_stream,
        ),
    ],
    output: Annotated[
        Path, typer.Option(help="Folder to write; the same command goes on where it was stopped.", callback=to_folder)
    ],
    images: Annotated[
        Path | None, typer.Option(help="Folder that image paths are relative to.", show_default="the input's folder")
    ] = None,
    checkpoint: Checkpoint = SHIPPED,
    lang: Language = None,
    convention: Convention = None,
    compare: Annotated[
        bool, typer.Option(help="Also say what the text alone would have given, where there is a photo.")
    ] = True,
    shard_rows: Annotated[int, typer.Option(min=1, help="Rows per output file.")] = 5_000,
    engine: Annotated[
        str, typer.Option(metavar="local|ray", help="This process, or the actors of a Ray cluster.")
    ] = "local",
    workers: Annotated[
        int | None, typer.Option(min=1, help="Actors of --engine ray.", show_default="one a core")
    ] = None,
    ray_address: Annotated[
        str | None, typer.Option(help="Ray cluster, such as auto or ray://host:10001.", show_default="one started here")
    ] = None,
    json: Json = False,
) -> None:
    """Tag every row of a large input into OUTPUT/tagged; rows that fail go to OUTPUT/rejected with the reason."""
    from mmner_core.large_jobs.run import Engine, Options
    from mmner_core.large_jobs.run import tag_many as run

    if engine not in get_args(Engine):
        raise InputError(f"There is no engine {engine!r}; choose {' or '.join(get_args(Engine))}.")
    if engine == "local" and (workers is not None or ray_address is not None):
        raise InputError("--workers and --ray-address belong to --engine ray.")
    options = Options(
        source=source,
        output=output,
        checkpoint=checkpoint,
        images=images,
        lang=lang,
        convention=convention,
        compare=compare,
        shard_rows=shard_rows,
        engine=engine,  # type: ignore[arg-type]  # checked above
        workers=workers,
        address=ray_address,
    )
    summary = run(options, say=lambda sentence: typer.echo(sentence, err=True))
    if json:
        print_json(summary.to_json())
        return
    typer.echo(f"{summary.tagged:,} rows tagged into {output / 'tagged'}.", err=True)
    if summary.rejected:
        typer.echo(f"{summary.rejected:,} could not be tagged; {output / 'rejected'} says why.", err=True)

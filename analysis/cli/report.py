"""``report``: writes everything a run shows as one HTML file, and its tables as LaTeX and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmner_core.cli.options import to_folder, to_stream
from mmner_core.errors import InputError
from mmner_core.runtime.streams import descriptor


def report(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    other: Annotated[Path | None, typer.Argument(help="Folder of a run over the same split to compare with.")] = None,
    html: Annotated[
        Path | None,
        typer.Option(help="HTML file to write; it works from disk. - is standard output.", callback=to_stream),
    ] = None,
    latex: Annotated[Path | None, typer.Option(help="Folder for a LaTeX file per table.", callback=to_folder)] = None,
    csv: Annotated[Path | None, typer.Option(help="Folder for a CSV file per table.", callback=to_folder)] = None,
    valid: Annotated[
        Path | None,
        typer.Option(help="Run over the validation data, to fit the temperature on.", show_default="as stored"),
    ] = None,
    condition: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Image condition of scores and errors.", show_default="matched"),
    ] = None,
    only: Annotated[str | None, typer.Option(metavar="PANEL", help="Only this panel, such as scores.")] = None,
) -> None:
    """Write the report of a run, or of two runs compared."""
    from analysis.report import collect, write_csv, write_html, write_latex
    from analysis.run.folder import EvaluationRun

    if html is None and latex is None and csv is None:
        raise InputError("Say what to write: --html FILE, --latex DIR, --csv DIR, or several of them.")
    second, third = (None if folder is None else EvaluationRun.open(folder) for folder in (other, valid))
    document = collect(EvaluationRun.open(run), second, valid=third, condition=condition, only=only)
    if html is not None:
        write_html(document, html)
    carries_data = html is not None and descriptor(html) == 1
    if html is not None:
        typer.echo(html, err=carries_data)
    for folder, write in ((latex, write_latex), (csv, write_csv)):
        if folder is not None:
            typer.echo(f"{folder}: {len(write(document, folder))} tables", err=carries_data)

"""``report``: everything a run shows, as one HTML file, and its tables as LaTeX and CSV."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmner_core.errors import InputError


def report(
    run: Annotated[Path, typer.Argument(help="Folder of the run.")],
    other: Annotated[Path | None, typer.Argument(help="Folder of a run over the same split to compare with.")] = None,
    html: Annotated[Path | None, typer.Option(help="HTML file to write; it works from disk.")] = None,
    latex: Annotated[Path | None, typer.Option(help="Folder for a LaTeX file per table.")] = None,
    csv: Annotated[Path | None, typer.Option(help="Folder for a CSV file per table.")] = None,
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
    from analysis.runs import Run

    if html is None and latex is None and csv is None:
        raise InputError("Say what to write: --html FILE, --latex DIR, --csv DIR, or several of them.")
    second, third = (None if folder is None else Run.open(folder) for folder in (other, valid))
    document = collect(Run.open(run), second, valid=third, condition=condition, only=only)
    if html is not None:
        typer.echo(write_html(document, html))
    for folder, write in ((latex, write_latex), (csv, write_csv)):
        if folder is not None:
            typer.echo(f"{folder}: {len(write(document, folder))} tables")

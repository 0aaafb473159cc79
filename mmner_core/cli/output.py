"""Results on standard output: stable JSON, or plain tables for people."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import typer

from mmner_core.runtime.json_files import json_text

if TYPE_CHECKING:
    from rich.table import Table

WIDTH_WITHOUT_TERMINAL = 120


def print_json(record: Any, *, err: bool = False) -> None:
    """Print one JSON document; ``err``: see :func:`print_out`."""
    typer.echo(json_text(record, indent=2), err=err)


def printable(text: object) -> str:
    """Return text that any UTF-8 terminal takes: lone surrogates and control characters become escapes."""
    safe = str(text).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() or c in "\n\t" else repr(c)[1:-1] for c in safe)


def make_table(columns: Sequence[str], rows: Sequence[Sequence[object]], *, numbers_from: int = 1) -> Table:
    """Lay out a table; columns from ``numbers_from`` on are numbers, set flush right."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i >= numbers_from else "left")
    for row in rows:
        table.add_row(*(Text(printable(cell)) for cell in row))  # Text: what a user typed is never markup
    return table


def print_out(*parts: Table | str, err: bool = False) -> None:
    """Print tables and lines of text, ``err``: on standard error, since standard output carries the data."""
    from rich.console import Console
    from rich.text import Text

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise  # as all others; rich would end the program here, with a code of its own

    console = Plain(highlight=False, stderr=err)
    if not console.is_terminal:
        console = Plain(highlight=False, stderr=err, width=WIDTH_WITHOUT_TERMINAL)
    for part in parts:
        console.print(Text(printable(part)) if isinstance(part, str) else part)

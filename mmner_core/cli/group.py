"""How a program tells a mistake: one sentence on stderr and exit code 2, whichever package the command is in."""

from __future__ import annotations

import gc
from typing import Any

import typer
from typer.core import TyperGroup

from mmner_core.errors import InputError

# Typer exports the classes of single usage errors, but only privately their common base.
UsageError: Any = typer.BadParameter.__mro__[1]


class Commands(TyperGroup):
    """The commands of a program; a user's mistake is told in one sentence, a bug keeps its traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            message = str(error)
        except UsageError as error:
            command = " ".join(filter(None, (ctx.command_path, ctx.invoked_subcommand)))
            message = f"{error.format_message().rstrip('.')}; see {command} --help."
        typer.echo(message.encode("utf-8", "backslashreplace").decode(), err=True)
        raise typer.Exit(2)


def run_program(app: typer.Typer, name: str) -> None:
    """Run a program with the arguments of the process, and end the process soon after."""
    try:
        app(prog_name=name)
    finally:
        gc.freeze()  # else Python ends by looking for cycles among a million objects of the libraries: half a second

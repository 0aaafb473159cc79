"""The command line of a developers' tool, which is a single command."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import typer

from mmner_core.cli.group import PathCheckingCommand, run_program
from mmner_core.errors import InputError


def run_tool(tool: Callable[..., None], name: str) -> None:
    """Run a tool with the arguments of the process; a user's mistake is told in one sentence, with exit code 2."""
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here needs to be fetched
    program = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    program.command(cls=PathCheckingCommand)(tool)
    try:
        run_program(program, name)
    except InputError as error:
        typer.echo(str(error), err=True)
        sys.exit(2)

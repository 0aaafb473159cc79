"""Reports a user's mistake as one sentence on stderr and exit code 2, whichever package the command is in."""

from __future__ import annotations

import gc
import sys
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from mmner_core.cli.endings import BROKEN_PIPE, end_output, os_error_sentence, prepare_process
from mmner_core.errors import InputError

# Typer exports the classes of single usage errors, but only privately their common base.
UsageError: Any = typer.BadParameter.__mro__[1]
EXTRAS = {
    "accelerate": "train",
    "datasets": "train",
    "jinja2": "analysis",
    "pandas": "analysis",
    "plotly": "analysis",
    "psutil": "dev",
    "ray": "ray",
    "scipy": "analysis",
    "sklearn": "analysis",
    "umap": "analysis",
}
"""Packages that a base installation may lack, and the extra of pyproject.toml that brings each."""


class PathCheckingCommand(TyperCommand):
    """A command that refuses an empty path, which would be taken for the working folder."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        given, _, _ = self.make_parser(ctx).parse_args(args=list(args))
        parameters: list[Any] = list(self.params)  # Typer's own kind, which knows the annotation
        for param in parameters:
            value = given.get(param.name or "")
            values = value if isinstance(value, list | tuple) else (value,)
            if "" in values and "Path" in str(param.type_descriptor.annotation):
                raise typer.BadParameter("it is empty; name a file or folder", ctx=ctx, param=param)
        return super().parse_args(ctx, args)


class Lists(PathCheckingCommand):
    """A command without arguments; an option that may be repeated takes several values at a time."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Parse the arguments."""
        parameters: list[Any] = list(self.params)
        repeatable = {name for param in parameters if param.multiple for name in param.opts}
        spread: list[str] = []
        option = None
        for arg in args:
            if arg.startswith("-"):
                option = arg if arg in repeatable else None
            elif option is not None and spread[-1] != option:
                spread.append(option)
            spread.append(arg)
        return super().parse_args(ctx, spread)


class Commands(TyperGroup):
    """The commands of a program; a user's mistake is reported in one sentence, a bug keeps its traceback.

    A command may be called by two words, as in ``train own``, beside one that is called by the first alone.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Find the command that the arguments begin with, and leave the others to it."""
        both = " ".join(args[:2])
        return super().resolve_command(ctx, [both, *args[2:]] if both in self.commands else args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except InputError as error:
            message = str(error)
        except UsageError as error:
            command = " ".join(filter(None, (ctx.command_path, ctx.invoked_subcommand)))
            message = f"{error.format_message().rstrip('.')}; see {command} --help."
        except ModuleNotFoundError as error:
            if error.name not in EXTRAS:
                raise
            extra = f"pip install '.[{EXTRAS[error.name]}]'"
            message = f"This needs {error.name}, which is not installed; in the folder of the workbench: {extra}."
        except BrokenPipeError:
            raise typer.Exit(BROKEN_PIPE) from None
        except OSError as error:
            sentence = os_error_sentence(error)
            if sentence is None:
                raise
            message = sentence
        typer.echo(message.encode("utf-8", "backslashreplace").decode(), err=True)
        raise typer.Exit(2)


def run_program(app: typer.Typer, name: str) -> None:
    """Run a program with the arguments of the process, and end the process soon after."""
    prepare_process()
    code: Any = 0
    try:
        app(prog_name=name)
    except SystemExit as end:
        code = end.code
    finally:
        gc.freeze()  # else Python ends by looking for cycles among a million objects of the libraries: half a second
    sys.exit(end_output(code))

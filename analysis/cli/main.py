"""The commands of ``python -m analysis``. Exit codes: 0 success; 2 bad input, reported in one sentence on stderr.

Standard output holds the result, what was written and where, and nothing else.
"""

from __future__ import annotations

import logging
import os

import typer

from analysis.cli import experiment as experiment_command
from analysis.cli import point as point_command
from analysis.cli import report as report_command
from analysis.cli import run as run_command
from mmner_core.cli.group import Commands, PathCheckingCommand, run_program

PROGRAM = "python -m analysis"

app = typer.Typer(
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Evaluate taggers and look into what they do: error analysis, contrastive space, what the image contributes.",
)
for command in (
    run_command.run,
    report_command.report,
    point_command.point,
    experiment_command.experiment,
):
    app.command(cls=PathCheckingCommand)(command)


@app.callback()
def _prepare() -> None:
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")  # nothing here needs to be fetched


def run() -> None:
    """Run the program with the arguments of the process."""
    run_program(app, PROGRAM)

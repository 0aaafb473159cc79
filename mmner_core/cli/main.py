"""The commands of ``python -m mmner_core``, and how mistakes are reported.

Exit codes: 0 success; 2 bad input, reported in one sentence on stderr. Standard output holds the result and nothing
else.
"""

from __future__ import annotations

import logging
import os

import typer

from mmner_core.cli import card, convert, evaluate, info, tag, tag_many, train, train_own, train_photos
from mmner_core.cli.group import Commands, Lists, PathCheckingCommand, run_program

PROGRAM = "python -m mmner_core"

app = typer.Typer(
    name=PROGRAM,
    cls=Commands,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="2M-NER: find names in text with the help of a photo, in English, French, German and Spanish.",
)
for command in (
    tag.tag,
    tag_many.tag_many,
    evaluate.evaluate,
    train.train,
    train_own.train_own,
    train_photos.train_photos,
    convert.convert,
    card.card,
    info.info,
):
    own = command is train_own.train_own
    app.command("train own" if own else None, cls=Lists if own else PathCheckingCommand)(command)


@app.callback()
def _prepare(ctx: typer.Context) -> None:
    training = ctx.invoked_subcommand in ("train", "train own", "train-photos")
    logging.basicConfig(
        level=logging.INFO if training else logging.WARNING, format="%(asctime)s %(message)s", datefmt="%H:%M:%S"
    )
    if not training:  # the only command that may fetch anything: pretrained weights by name
        os.environ.setdefault("HF_HUB_OFFLINE", "1")


def run() -> None:
    """Run the program with the arguments of the process."""
    run_program(app, PROGRAM)

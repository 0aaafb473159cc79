"""``card``: writes scores on test data into a checkpoint's metrics and its model card."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.output import print_out
from mmner_core.errors import InputError
from mmner_core.runtime.json_files import read_object

Files = list[Path]


def card(
    checkpoint: Annotated[Path, typer.Argument(help="Folder of the model.")],
    look: Annotated[str, typer.Option(help="What was looked at on test data, and what was decided by it.")],
    test: Annotated[Files | None, typer.Option(help="What evaluate --json printed; repeatable.")] = None,
    photo: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=FILE", help="A data set and the metrics.json of its analysis run; repeatable."),
    ] = None,
    pointing: Annotated[Files | None, typer.Option(help="What analysis point --json printed; repeatable.")] = None,
) -> None:
    """Put test scores into a model card, which also states how often the test data were looked at."""
    from mmner_core.checkpoints.folder import check_files
    from mmner_core.training.card import add_test_scores

    check_files(checkpoint)
    tests = [_read(file, "evaluate", "by_language") for file in test or ()]
    runs = {name: _read(file, "analysis run", "modality")["modality"] for name, file in map(_named, photo or ())}
    pointed: dict[str, list[Any]] = {}
    for file in pointing or ():
        printed = _read(file, "analysis point", "mosaics", "boxes")
        for kind in ("mosaics", "boxes"):
            pointed.setdefault(kind, []).extend(printed.get(kind, ()))
    add_test_scores(checkpoint, tests, runs, pointing=pointed, look=look)
    print_out(str(checkpoint / "README.md"))


def _named(text: str) -> tuple[str, Path]:
    name, equals, file = text.partition("=")
    if not (name and equals and file):
        raise InputError(f"--photo {text!r} is not of the form NAME=FILE, such as probe=runs/probe/metrics.json.")
    return name, Path(file)


def _read(file: Path, command: str, *fields: str) -> dict[str, Any]:
    """Read what a command has printed or written, which has one of these fields.

    Raises:
        InputError: if the file is no JSON object, or has none of them.
    """
    remedy = f"name a file that {command} made"
    content = read_object(file, remedy)
    if not set(fields) & set(content):
        raise InputError(f"{file} has no field {' or '.join(fields)}; {remedy}.")
    return content

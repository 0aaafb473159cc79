"""The command lines of a job: all paths lie below the job's folder, so that a run tells nothing of the server."""

from __future__ import annotations

from pathlib import Path

from analysis.jobs.description import Description
from analysis.jobs.job import MODELS, RUN, Choices
from analysis.jobs.models import Models
from analysis.jobs.process import command

SHARD = 64
"""Sentences tagged between two looks at the clock: some seconds; what a run that is stopped loses."""
POINTING_SAMPLE = 40
"""Sentences of the mosaics; twice as many take another minute."""


def run_command(
    folder: Path, choices: Choices, description: Description, models: Models, language: str = ""
) -> list[str]:
    """Return the command that makes the run, ``python -m analysis run``; a link to the checkpoint is put in its place.

    Args:
        folder: the job's.
        choices: what the run is to be.
        description: of its data.
        models: to choose from.
        language: of a file that does not say.
    """
    arguments = ["run", *_model(folder, choices, models), "--data", description.data]
    arguments += ["--images", description.images] if description.images else []
    arguments += ["--lang", language] if language else []
    arguments += ["--split", description.split] if description.split else []
    arguments += ["--conditions", ",".join(choices.conditions)] if choices.conditions else []
    arguments += ["--corruptions"] if choices.corruptions else []
    arguments += [] if choices.studies else ["--no-studies"]
    arguments += ["--limit", str(choices.limit)] if choices.limit is not None else []
    arguments += [f"--map={old}={new}" for old, new in choices.types.items() if old != new]
    arguments += ["--shard", str(SHARD), "--pointing-sample", str(POINTING_SAMPLE)]
    return command("analysis", *arguments, "--out", f"{RUN}/{choices.name}")


def report_command(choices: Choices, file: str) -> list[str]:
    """Return the command that writes the report of a run."""
    return command("analysis", "report", f"{RUN}/{choices.name}", "--html", file)


def _model(folder: Path, choices: Choices, models: Models) -> list[str]:
    if (own := models.own.get(choices.model)) is not None:
        factory, *options = own
        return ["--model", factory, *(f"--model-option={_below(folder, option)}" for option in options)]
    link = _link(folder, models.checkpoints[choices.model])
    convention = ["--convention", choices.convention] if choices.convention else []
    return ["--checkpoint", link, *convention]


def _below(folder: Path, option: str) -> str:
    """Return an option of a model whose value, if it is a file or folder, lies below the job's folder."""
    name, _, value = option.partition("=")
    return f"{name}={_link(folder, Path(value))}" if value and Path(value).exists() else option


def _link(folder: Path, target: Path) -> str:
    """Put a link to a model's files into the job's folder; return its path there."""
    link = folder / MODELS / target.resolve().name
    link.parent.mkdir(exist_ok=True)
    link.unlink(missing_ok=True)
    link.symlink_to(target.resolve())
    return str(link.relative_to(folder))

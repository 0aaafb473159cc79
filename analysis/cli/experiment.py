"""``experiment``: one of the paper's experiments as a grid of trained models, from data to tables."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Annotated

import typer

from mmner_core.cli.options import to_folder, to_stream
from mmner_core.errors import InputError
from mmner_core.runtime.streams import descriptor

Name = Annotated[str, typer.Argument(help="ablation, robustness, cross-lingual, cross-dataset or alpha-temperature.")]
Runs = Annotated[
    Path,
    typer.Option(help="Folder of models, run folders and tables; what it holds is not made again.", callback=to_folder),
]
Data = Annotated[Path, typer.Option(help="Folder that the data sets lie in.")]
Preset = Annotated[str, typer.Option(help="A named run, such as mini, or a preset of the model.")]
Init = Annotated[
    Path | None,
    typer.Option(help="Checkpoint that every model begins with, such as the stage before the preset's run."),
]
Seeds = Annotated[int, typer.Option(min=1, help="How many, counted on from the preset's.")]
Train = Annotated[
    str,
    typer.Option(
        metavar="SET[@CONVENTION][=N],...",
        help="Data sets to train on, each with the number of sentences per language.",
        show_default="the preset's",
    ),
]
Test = Annotated[
    str,
    typer.Option(
        metavar="SET[@CONVENTION][=N],...",
        help="Data sets to test on.",
        show_default="those trained on; for cross-dataset conll, wikineural, twitter2017 and mmnerd",
    ),
]
Limit = Annotated[int | None, typer.Option(min=1, help="Sentences per language of each data set without its own =N.")]
ValidLimit = Annotated[int | None, typer.Option(min=1, help="Validation sentences per language of each data set.")]
Epochs = Annotated[int | None, typer.Option(min=1, help="Epochs of every cell.", show_default="the preset's")]
TopLayers = Annotated[
    int | None,
    typer.Option(min=0, help="Train only the last N layers of the text encoder: faster.", show_default="all"),
]
Variants = Annotated[str, typer.Option(metavar="A,B,...", help="Only these rows of the grid.", show_default="all")]
Alphas = Annotated[
    str, typer.Option(metavar="A,B,...", help="Loss weights of alpha-temperature, besides the preset's.")
]
Temperatures = Annotated[str, typer.Option(metavar="A,B,...", help="Fixed temperatures of alpha-temperature.")]
Severities = Annotated[str, typer.Option(metavar="1,...,5", help="Severities of the corruptions of robustness.")]
Markdown = Annotated[
    Path | None,
    typer.Option(
        help="File for the pages of all experiments.", show_default="RUNS/EXPERIMENTS.md alone", callback=to_stream
    ),
]


def experiment(
    name: Name,
    runs: Runs,
    data: Data,
    preset: Preset = "mini",
    init: Init = None,
    seeds: Seeds = 2,
    train: Train = "",
    test: Test = "",
    limit: Limit = None,
    valid_limit: ValidLimit = None,
    epochs: Epochs = None,
    top_layers: TopLayers = None,
    variants: Variants = "",
    alphas: Alphas = "0.1,0.5",
    temperatures: Temperatures = "0.01,1",
    severities: Severities = "1,3,5",
    markdown: Markdown = None,
) -> None:
    """Train a grid of models, score them on the test split, and write tables with seeds and intervals.

    Finished models are kept, a half-trained one goes on, and models that two experiments want are trained once. The
    app shows the run folders with --runs RUNS/runs.
    """
    from analysis.evaluation.provenance import command_line
    from analysis.experiment.names import run_experiment
    from analysis.experiment.settings import ExperimentSettings
    from analysis.experiment.sources import parse_sources
    from mmner_core.runtime.memory import keep_freed_memory

    logging.getLogger("analysis.experiment").setLevel(logging.INFO)
    settings = ExperimentSettings(
        runs=runs,
        data=data,
        preset=preset,
        init=init,
        seeds=seeds,
        train=parse_sources(train, "--train"),
        test=parse_sources(test, "--test"),
        limit=limit,
        valid_limit=valid_limit,
        epochs=epochs,
        top_layers=top_layers,
        variants=tuple(part.strip() for part in variants.split(",") if part.strip()),
        alphas=numbers(alphas, "--alphas"),
        temperatures=numbers(temperatures, "--temperatures"),
        severities=tuple(int(value) for value in numbers(severities, "--severities")),
        command=command_line(),
    )
    keep_freed_memory()
    carries_data = markdown is not None and descriptor(markdown) == 1
    typer.echo(run_experiment(name, settings, markdown), err=carries_data)


def numbers(text: str, option: str) -> tuple[float, ...]:
    """Parse comma-separated numbers.

    Raises:
        InputError: if one is none.
    """
    try:
        return tuple(float(part) for part in text.split(",") if part.strip())
    except ValueError:
        raise InputError(f"{option} takes numbers between commas, got {text!r}.") from None

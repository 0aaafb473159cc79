"""The options of ``run``, each with its help text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from mmner_core.cli.options import Map as Map
from mmner_core.cli.options import from_stream, to_folder
from mmner_core.text.language_names import LANGUAGES

Out = Annotated[Path, typer.Option(help="Folder to write.", callback=to_folder)]
Checkpoint = Annotated[Path | None, typer.Option(help="Folder of the model to evaluate.")]
Predictions = Annotated[
    Path | None,
    typer.Option(
        help="Output of another system instead: the sentences of --data with its tags. - is standard input.",
        callback=from_stream,
    ),
]
Model = Annotated[
    str | None,
    typer.Option(
        metavar="PACKAGE.MODULE:FACTORY", help="Your own model instead: what makes an object with predict(items)."
    ),
]
ModelOption = Annotated[
    list[str] | None,
    typer.Option("--model-option", metavar="NAME=VALUE", help="An argument of the factory, as text; may be repeated."),
]
ModelBatch = Annotated[int, typer.Option(min=1, help="Items that your own model is asked at once.")]
ModelSeconds = Annotated[
    float | None, typer.Option(min=0.001, help="Most seconds for a batch of your own model.", show_default="no limit")
]
Images = Annotated[Path | None, typer.Option(help="Folder of the photos.", show_default="images beside the data")]
Split = Annotated[
    str | None, typer.Option(metavar="train|valid|test", help="Split of a folder.", show_default="test, else valid")
]
Lang = Annotated[str | None, typer.Option(metavar="|".join(LANGUAGES), help="Only this language.")]
Convention = Annotated[
    str | None, typer.Option(metavar="NAME", help="Annotation convention to read by, such as wiki or caption.")
]
Conditions = Annotated[
    str,
    typer.Option(
        metavar="A,B,...",
        help="Conditions: matched, none, blank, noise, shuffled, other_type, irrelevant, a corruption such as blur-3; "
        "lower_case, capitals, no_accents, typos, hashtags, no_stop for changed words; or all.",
        show_default="those named first",
    ),
]
Corruptions = Annotated[bool, typer.Option("--corruptions", help="Add every corruption at 5 severities.")]
Stress = Annotated[bool, typer.Option("--stress", help="Add every change of the words.")]
Limit = Annotated[int | None, typer.Option(min=1, help="Only the first N sentences of each language.")]
Train = Annotated[
    list[Path] | None, typer.Option(help="Training data, for seen and unseen names and leakage; may be repeated.")
]
Pairs = Annotated[Path | None, typer.Option(help="Table of pairing kinds, such as mmwiki/pairs.tsv.")]
Irrelevant = Annotated[
    Path | None, typer.Option(help="Folder of photos for 'irrelevant'.", show_default="those that --pairs names")
]
Calibrate = Annotated[
    str | None,
    typer.Option(metavar="RUN|SPLIT", help="Fit the temperature on a run of this checkpoint, or on a split."),
]
Studies = Annotated[bool, typer.Option(help="Shapley shares, and heat maps on trial.")]
FaithfulnessSample = Annotated[
    int,
    typer.Option(
        "--faithfulness-sample",
        "--honesty-sample",  # its name up to 0.9
        min=0,
        help="Names whose heat maps are tested for faithfulness.",
    ),
]
PointingSample = Annotated[int, typer.Option(min=0, help="Sentences whose photos make mosaics.")]
Boxes = Annotated[
    Path | None, typer.Option(help="Photos with boxes, JSONL, to measure heat maps on; photos in images beside it.")
]
Maps = Annotated[bool, typer.Option(help="Lay out the maps of the embedding tab.")]
Seed = Annotated[int, typer.Option(help="Of everything random.")]
Shard = Annotated[int, typer.Option(min=1, help="Sentences tagged between two savings.")]
Overwrite = Annotated[bool, typer.Option("--overwrite", help="Replace a run that lies there.")]

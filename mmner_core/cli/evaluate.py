"""``evaluate``: precision, recall and F1 on tagged data, under a choice of image conditions."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from mmner_core.cli.options import Checkpoint, Convention, Json, Language, Map, TaggedData
from mmner_core.cli.output import make_table, print_json, print_out
from mmner_core.runtime.repository import SHIPPED


def evaluate(
    data: TaggedData,
    checkpoint: Checkpoint = SHIPPED,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the photos.", show_default="images beside the data")
    ] = None,
    image_condition: Annotated[
        str, typer.Option(metavar="matched|none|shuffled|blank", help="Which image each sentence is shown.")
    ] = "matched",
    lang: Language = None,
    split: Annotated[
        str | None, typer.Option(metavar="train|valid|test", help="Split of a folder.", show_default="test, else valid")
    ] = None,
    convention: Convention = None,
    limit: Annotated[int | None, typer.Option(min=1, help="Only the first N sentences of each language.")] = None,
    seed: Annotated[int, typer.Option(help="Seed of the shuffled condition.")] = 19,
    shuffles: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Shuffle the photos so often; scores are means, seeds follow each other.",
            show_default="20 where they are shuffled",
        ),
    ] = None,
    precision: Annotated[
        str | None,
        typer.Option(metavar="fp32|bf16", help="Number format.", show_default="bf16 where the processor has it"),
    ] = None,
    map_: Map = None,
    types: Annotated[
        str | None,
        typer.Option(
            metavar="TYPE,TYPE,...",
            help="Score names of these types alone, where the data annotate no others.",
            show_default="all",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Score a model on tagged data: micro, per language and per type, strict and lenient."""
    from mmner_core.data.type_names import TypeNames
    from mmner_core.evaluation.evaluate import evaluate as score
    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job

    names = TypeNames.parse(map_ or ())
    tagger = Tagger.load(checkpoint)
    begin_long_job()
    if precision is not None:
        from mmner_core.network.precision import set_precision

        tagger.model = set_precision(tagger.model, precision)
    result = score(
        tagger,
        data,
        images=images,
        condition=image_condition,  # type: ignore[arg-type]  # evaluate refuses what it does not know
        language=lang,
        split=split,
        convention=convention,
        limit=limit,
        seed=seed,
        shuffles=shuffles,
        names=names,
        types=[name.strip() for name in types.split(",")] if types is not None else (),
    )
    result["number_format"] = str(tagger.model.dtype).removeprefix("torch.")
    if json:
        print_json(result)
    else:
        _print(result)


def _print(result: dict[str, Any]) -> None:
    from mmner_core.evaluation.image_shuffling import averaged

    rows = [_row("all", result["micro"], result["lenient_micro"], result["sentences"])]
    for language, part in result["by_language"].items():
        rows.append(_row(language, part, part["lenient_micro"], part["sentences"]))
    for name, part in result["by_type"].items():
        rows.append(_row(name, part, None, ""))
    columns = ["Part", "Precision", "Recall", "F1", "Lenient F1", "Names", "Sentences"]
    images = result["images"]
    shuffles = averaged(result)
    speed = result["sentences"] * max(len(shuffles), 1) / result["seconds"]
    print_out(
        make_table(columns, rows),
        *_spread(shuffles),
        result["read"],
        f"Images ({result['image_condition']}): {images['present']:,} present, {images['missing']:,} missing, "
        f"{images['broken']:,} broken.",
        *images["problems"],
        f"Checkpoint {result['checkpoint']}, convention {result['convention'] or 'the only one'}, "
        f"{result['seconds']:.1f} s, {speed:.1f} sentences/s in "
        f"{result['number_format']}. Scores in percent; strict unless said otherwise.",
    )


def _spread(shuffles: list[float]) -> list[str]:
    if len(shuffles) < 2:
        return []
    low, high = 100 * min(shuffles), 100 * max(shuffles)
    return [f"Means over {len(shuffles)} shuffles of the photos; F1 of a single one from {low:.2f} to {high:.2f}."]


def _row(name: str, strict: dict[str, Any], lenient: dict[str, Any] | None, sentences: int | str) -> tuple[str, ...]:
    values = (strict["precision"], strict["recall"], strict["f1"], lenient["f1"] if lenient else None)
    percent = ("" if value is None else f"{100 * value:.2f}" for value in values)
    return (name, *percent, f"{strict['support']:,}", f"{sentences:,}" if isinstance(sentences, int) else sentences)

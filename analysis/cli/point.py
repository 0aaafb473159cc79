"""``point``: measures whether heat maps point at boxes or at the right photo, and which words entities rest on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from mmner_core.cli.options import Convention, Json, Map
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.heat_maps.boxes import BoxRows
    from analysis.heat_maps.mosaic_plan import MosaicPlan
    from mmner_core.data import Example
    from mmner_core.data.type_names import TypeNames
    from mmner_core.inference.tagger import Tagger

_BOX_COLUMNS = ("method", "type", "hit", "low", "high", "chance", "mass", "n")
_RELEVANCE_COLUMNS = ("beside", "auc", "low", "high", "chance", "own", "wrong", "n")
_NOTHING_COLUMNS = ("kind", "changed", "low", "high", "n")
_WORD_COLUMNS = ("method", "quantity", "value", "low", "high", "n")
_MOSAIC_COLUMNS = ("layout", "method", "type", "hit", "low", "high", "chance", "swap", "n")


def point(
    checkpoint: Annotated[Path, typer.Option(help="Folder of the model.")],
    boxes: Annotated[
        Path | None,
        typer.Option(help="Photos with boxes: a JSONL file, or a folder of XML files in Pascal VOC's form."),
    ] = None,
    text: Annotated[
        Path | None, typer.Option(help="Tagged sentences with IMGID lines that the XML files belong to.")
    ] = None,
    mosaics: Annotated[bool, typer.Option("--mosaics", help="Measure on several photos in one image.")] = False,
    relevance: Annotated[
        bool,
        typer.Option("--relevance", help="Measure whether attention tells the right photo from nothing or another."),
    ] = False,
    words: Annotated[
        bool, typer.Option("--words", help="Measure which words entities rest on, against random orders of deletion.")
    ] = False,
    data: Annotated[
        Path | None, typer.Option(help="Tagged file or folder whose sentences and photos make the mosaics.")
    ] = None,
    images: Annotated[
        Path | None, typer.Option(help="Folder of the photos.", show_default="images beside the data")
    ] = None,
    split: Annotated[
        str | None,
        typer.Option(
            metavar="train|valid|test",
            help="Split to measure on.",
            show_default="boxes: all; mosaics: test, else valid",
        ),
    ] = None,
    pairs: Annotated[
        Path | None, typer.Option(help="Table of pairing kinds; mosaics leave out photos it calls irrelevant.")
    ] = None,
    convention: Convention = None,
    map_: Map = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Mosaics of N sentences, as many of each type; words of N sentences.")
    ] = None,
    occlusion: Annotated[
        bool, typer.Option("--occlusion", help="Mosaics: measure occlusion too, one pass of the encoder per cell.")
    ] = False,
    seed: Annotated[int, typer.Option(help="Of mosaics, random twin and intervals.")] = 19,
    json: Json = False,
) -> None:
    """Measure whether heat maps point at the named entity: how often their hottest cell lies on it, against chance."""
    from analysis.heat_maps.explainer import ModelExplainer
    from analysis.heat_maps.measure import all_maps, measure_boxes, measure_mosaics
    from mmner_core.data.type_names import TypeNames
    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job

    wanted = [name for name, asked in (("mosaics", mosaics), ("relevance", relevance), ("words", words)) if asked]
    if boxes is None and not wanted:
        raise InputError(
            "Give --boxes, photos with boxes, or --mosaics, --relevance or --words with --data, tagged sentences."
        )
    if wanted and data is None:
        raise InputError(f"--{wanted[0]} needs --data, tagged sentences with photos.")
    names = TypeNames.parse(map_ or ())
    tagger = Tagger.load(checkpoint)
    begin_long_job()
    explainer = ModelExplainer(tagger.model, tagger.subwords)
    found: dict[str, Any] = {"checkpoint": tagger.digest, "seed": seed}
    if boxes is not None:
        rows = _rows(tagger, boxes, text, images, split, names)
        maps = all_maps(explainer, convention=convention, occlusion=True, seed=seed)
        with _bar(len(rows.rows), "boxes") as bar:
            found |= measure_boxes(explainer, rows, maps, seed=seed, progress=bar.update)
    if mosaics and data is not None:
        plan = _plan(tagger, data, images, split, pairs, names, limit, seed)
        maps = all_maps(explainer, convention=convention, occlusion=occlusion, seed=seed)
        with _bar(len(plan.groups), "mosaics") as bar:
            found |= measure_mosaics(explainer, plan, maps, seed=seed, progress=bar.update)
        del found["pointing"]  # the same showings in the form that runs hold
    if relevance and data is not None:
        from analysis.heat_maps.relevance import measure_relevance
        from analysis.run.evaluation_set import read_evaluation_set

        examples = read_evaluation_set(data, images=images, split=split, pairs=pairs).renamed(names).examples
        with _bar(len(examples), "sentences") as bar:
            found |= measure_relevance(explainer, examples, seed=seed, progress=bar.update)
    if words and data is not None:
        from analysis.heat_maps.word_study import measure_words

        sample = _sample(tagger, data, images, split, names, limit, seed)
        with _bar(len(sample), "sentences") as bar:
            found |= measure_words(explainer, sample, convention=convention, seed=seed, progress=bar.update)
    _print(found, json=json)


def _sample(
    tagger: Tagger,
    data: Path,
    images: Path | None,
    split: str | None,
    names: TypeNames,
    limit: int | None,
    seed: int,
) -> list[Example]:
    """Read the sentences, or draw some of them."""
    import numpy as np

    from analysis.run.evaluation_set import read_evaluation_set
    from mmner_core.evaluation.evaluate import gold_tags

    examples = read_evaluation_set(data, images=images, split=split).renamed(names).examples
    gold_tags(tagger.labels, examples)
    order = np.random.default_rng(seed).permutation(len(examples))[:limit]
    return [examples[i] for i in sorted(order.tolist())]


def _rows(
    tagger: Tagger, boxes: Path, text: Path | None, images: Path | None, split: str | None, names: TypeNames
) -> BoxRows:
    """Read the boxes, in either format."""
    from analysis.heat_maps.boxes import read_boxes
    from analysis.heat_maps.voc import read_voc

    if not boxes.is_dir():
        if text is not None:
            raise InputError(f"--text goes with a folder of XML files, and {boxes} is none; leave one of the two out.")
        return read_boxes(boxes, tagger.labels.types, images=images, split=split, names=names)
    if text is None:
        raise InputError(f"{boxes} is a folder of XML files; name with --text the tagged sentences they belong to.")
    return read_voc(boxes, text, tagger.labels.types, images=images, split=split, names=names)


def _plan(
    tagger: Tagger,
    data: Path,
    images: Path | None,
    split: str | None,
    pairs: Path | None,
    names: TypeNames,
    limit: int | None,
    seed: int,
) -> MosaicPlan:
    """Read the sentences and put their photos together."""
    from analysis.heat_maps.mosaic_plan import plan_mosaics
    from analysis.run.evaluation_set import read_evaluation_set
    from mmner_core.evaluation.evaluate import gold_tags

    sentences = read_evaluation_set(data, images=images, split=split, pairs=pairs).renamed(names)
    gold_tags(tagger.labels, sentences.examples)
    plan = plan_mosaics(sentences.examples, irrelevant=sentences.irrelevant_pairs, limit=limit, seed=seed)
    if not plan.groups:
        reasons = ", ".join(f"{n} {what}" for what, n in plan.left_out.items())
        raise InputError(f"{data} has no sentence to make mosaics of ({reasons}); check --images and --split.")
    return plan


def _bar(total: int, what: str) -> Any:
    from tqdm import tqdm

    return tqdm(total=total, desc=what, unit="", disable=None)


def _print(found: dict[str, Any], *, json: bool) -> None:
    from mmner_core.cli.output import make_table, print_json, print_out

    if json:
        print_json(found)
        return
    for key, columns, first in (
        ("boxes", _BOX_COLUMNS, "hit"),
        ("mosaics", _MOSAIC_COLUMNS, "hit"),
        ("words", _WORD_COLUMNS, "value"),
    ):
        if key not in found:
            continue
        lines = [[_cell(row[column]) for column in columns] for row in found[key]]
        print_out(make_table([column.capitalize() for column in columns], lines, numbers_from=columns.index(first)))
        print_out(*(f"Left out: {row['n']:,} {row['what']}." for row in found[f"{key}_left_out"]))
        print_out(*(f"Outside of what the model sees: {row['where']}." for row in found.get(f"{key}_outside", ())))
    for key, shown in (("relevance", _RELEVANCE_COLUMNS), ("nothing", _NOTHING_COLUMNS)):
        if key in found:
            lines = [[_cell(row[column]) for column in shown] for row in found[key]]
            print_out(make_table([column.capitalize() for column in shown], lines))
    print_out(f"Checkpoint {found['checkpoint']}, seed {found['seed']}; intervals over photos, or over sentences.")


def _cell(value: object) -> object:
    return "" if value is None else f"{value:.3f}" if isinstance(value, float) else value

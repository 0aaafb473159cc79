"""The panels on the image's contribution: image conditions against text only, severities, terciles, galleries."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from analysis.conditions.conditions import CORRUPTED, HIDDEN
from analysis.image_effect.modality import (
    TEXT_ONLY,
    Paired,
    image_conditions,
    image_effects,
    modality_table,
    pair_conditions,
    severity_curves,
    split_table,
)
from analysis.panels.facts import probability_of
from analysis.panels.panel import Content, panel
from analysis.panels.stored import table_of
from analysis.panels.wording import counted, extremes, language_label
from analysis.scores.cosine_terciles import TERCILES
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

LIMIT = 20
NAMES = {
    "matched": "image of the pair",
    "blank": "blank (grey)",
    "noise": "random pixels",
    "shuffled": "shuffled within language",
    "other_type": "image of another type",
    "irrelevant": "irrelevant image",
    "text+vit": "ViT stream only",
    "text+cnn": "CNN stream only",
    "lower_case": "small letters",
    "capitals": "capitals",
    "no_accents": "without accents",
    "typos": "typing mistakes",
    "hashtags": "words as hashtags",
    "no_stop": "without the final stop",
}
_HOW_SPLIT = "What the image adds where it {}; an interval that holds 0 means that no contribution is shown."


def modality_of(run: EvaluationRun) -> pd.DataFrame:
    """Return the table of all conditions: as stored with the run, else worked out once.

    Raises:
        InputError: if the run has no condition without image, or only that.
    """
    if len(image_conditions(run)) < 2 or TEXT_ONLY not in run.conditions:
        raise InputError(
            f"Run {run.name!r} was not made under several image conditions (it has: "
            f"{', '.join(image_conditions(run)) or 'none'}), so what the image contributed is not known; write "
            "a run from a checkpoint and data with photos."
        )
    return table_of(run, "modality", lambda: modality_table(run))


@panel(
    "modality",
    "What the image contributes",
    "Each bar is F1 under one image condition minus F1 of text only on the same sentences; only if the pair's own "
    "image is clearly above the shuffled one does the image itself help, rather than having any image.",
    chapter="Contribution",
    height=640,
)
def modality(run: EvaluationRun) -> Content:
    """Show the conditions that replace or hide the image, per language and type."""
    from analysis.figures import modality_bars

    table = modality_of(run)
    table = table[~table["condition"].isin([*CORRUPTED, TEXT_ONLY, *_wordless()])].reset_index(drop=True)
    there = set(table["condition"])
    names = {name: NAMES.get(name, name) for name in [*NAMES, *table["condition"]] if name in there}
    overall = table[table["type"] == "all"]
    everywhere = overall[overall["language"] == "all"]
    return Content(
        table=table,
        figure=modality_bars(overall, names) if len(overall) else None,
        alternative="Bars of the F1 difference to text only, all languages. "
        + extremes(everywhere, "difference", lambda row: names[row["condition"]], sign=True),
        rule="strict; difference to text only by paired bootstrap over sentences; helped and hurt count gold entities",
        n=_per_row(everywhere),
    )


@panel(
    "severity",
    "Corrupted images",
    "How far F1 falls towards text only (the dotted line at 0) as the photo is corrupted more and more: a model that "
    "looks at photos loses, one that ignores them stays flat.",
    chapter="Corrupted images",
    height=560,
)
def severity(run: EvaluationRun, language: str = "all") -> Content:
    """Show the corruptions at their severities, over all types; the table has every language, and every type."""
    from analysis.figures import severity_lines

    curves = severity_curves(modality_of(run))
    if not len(curves):
        raise InputError(f"Run {run.name!r} holds no corrupted images (blur-1, ...); write it with those conditions.")
    margins = curves[(curves["type"] == "all") | (curves["language"] == "all")]
    drawn = curves[(curves["type"] == "all") & (curves["language"] == language)]
    worst = drawn[drawn["severity"] == drawn["severity"].max()]
    columns = ["corruption", "severity", "language", "type"]
    rest = [name for name in margins.columns if name not in (*columns, "condition")]
    return Content(
        table=margins[columns + rest].reset_index(drop=True),
        figure=severity_lines(drawn),
        alternative=f"Lines of the F1 difference to text only against severity, {language_label(language)}. At the "
        "greatest severity: " + extremes(worst, "difference", lambda row: row["corruption"], sign=True),
        rule="strict; difference to text only by paired bootstrap over sentences",
        n=_per_row(drawn),
    )


@panel(
    "terciles",
    "By image-text cosine",
    _HOW_SPLIT.format("fits the text well or badly"),
    chapter="Splits",
)
def terciles(run: EvaluationRun) -> Content:
    """Split the contribution of the pair's image by thirds of the cosine within each language."""
    paired = _own_image(run)
    paired.condition.require("cosine")
    table = table_of(run, "modality_by_cosine", lambda: split_table(paired, paired.terciles))
    table = table.sort_values("group", key=lambda names: names.map(TERCILES.index), kind="stable", ignore_index=True)
    return _split(table, paired, "No sentence has an image-text cosine.", lambda name: f"{name} third")


@panel("pair-kinds", "By kind of pair", _HOW_SPLIT.format("belongs to the text in different ways"))
def pair_kinds(run: EvaluationRun) -> Content:
    """Split the contribution by what the data say about the pair."""
    paired = _own_image(run)
    kinds = paired.condition.sentences["kind"].to_numpy(dtype=object)
    table = table_of(run, "modality_by_kind", lambda: split_table(paired, kinds))
    return _split(table, paired, "The data do not say of which kind their pairs are.", str)


def _split(table: pd.DataFrame, paired: Paired, none: str, name: Callable[[str], str]) -> Content:
    from analysis.figures import modality_bars

    if not len(table):
        raise InputError(none)
    table = table.assign(group=table["group"].map(name))
    return Content(
        table=table,
        figure=modality_bars(table.assign(condition=table["group"], language="all"), {g: g for g in table["group"]}),
        alternative="Bars of the F1 difference to text only. "
        + extremes(table, "difference", lambda row: row["group"], sign=True),
        rule="strict; difference to text only by paired bootstrap over sentences",
        n=counted(len(paired), "sentence"),
    )


@panel(
    "helped",
    "What the image helped most",
    "The gold entities whose probability rises most with their image.",
    chapter="Helped and hurt",
    height=560,
)
def helped(run: EvaluationRun, limit: int = LIMIT) -> Content:
    """List the greatest rises."""
    return _gallery(run, limit, rising=True)


@panel(
    "hurt",
    "What the image hurt most",
    "The gold entities whose probability falls most with their image.",
    height=560,
)
def hurt(run: EvaluationRun, limit: int = LIMIT) -> Content:
    """List the greatest falls."""
    return _gallery(run, limit, rising=False)


def effects_of(run: EvaluationRun) -> pd.DataFrame:
    """Return every gold entity with what its image did to its probability, most helped first, worked out once."""
    return run.remember("image effects", lambda: image_effects(_own_image(run)))


def _gallery(run: EvaluationRun, limit: int, *, rising: bool) -> Content:
    effects = effects_of(run)
    chosen = effects[effects["change"] > 0] if rising else effects[effects["change"] < 0].iloc[::-1]
    answers = run.answers()
    place = pd.Index(answers.sentences["sentence_id"]).get_indexer(pd.Index(chosen["sentence_id"][:limit]))
    texts = answers.texts()
    table = chosen.head(limit).assign(
        sentence=[texts[i] for i in place], image_id=answers.sentences["image_id"].to_numpy()[place]
    )
    columns = ["sentence_id", "language", "type", "text", "confidence_baseline", "confidence", "change", "sentence"]
    word = "rises" if rising else "falls"
    return Content(
        table=table[[*columns, "image_id"]].reset_index(drop=True),
        rule=f"of each gold entity, with its image and with text only: {probability_of(run.provenance)}",
        n=f"{counted(len(effects), 'gold entity', 'gold entities')}; the probability {word} for {len(chosen):,}",
        notes=() if len(chosen) else (f"The image {'helped' if rising else 'hurt'} no entity.",),
    )


def _own_image(run: EvaluationRun) -> Paired:
    """Pair the run's own condition with text only, once."""
    if TEXT_ONLY not in run.conditions or run.condition == TEXT_ONLY:
        modality_of(run)  # says what is missing
    return run.remember("own image", lambda: pair_conditions(run, run.condition, TEXT_ONLY))


def _per_row(table: pd.DataFrame) -> str:
    most = int(table["n_sentences"].max()) if len(table) else 0
    return f"up to {counted(most, 'sentence')}, per row the same under both conditions"


def _wordless() -> tuple[str, ...]:
    """Return the conditions in which the words are hidden; they are for Shapley shares alone."""
    return tuple(name for name, (words_seen, _) in HIDDEN.items() if not words_seen)

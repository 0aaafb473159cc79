"""The panels on the contrastive space: retrieval, cosines of right and wrong pairs, gap, alignment, uniformity."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.panels.panel import Content, panel
from analysis.panels.stored import optional_table, stored_table
from analysis.panels.wording import counted, language_label, number, with_interval
from analysis.run.pair_facts import SEEN, UNSEEN
from analysis.scores.breakdowns import ALL
from analysis.space.contrastive import RELEVANT
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

MISMATCHED = "shuffled"
_BINS = 40
_PAIRS = ("matched", "mismatched")
_SUBSETS = {
    RELEVANT: "Relevant: without the pairs that the data call irrelevant, neither as queries nor in the gallery.",
    SEEN: "Seen: texts whose names all occur in training, whatever their type there, and images of such texts alone; "
    "the gallery is that of all relevant pairs.",
    UNSEEN: "Unseen: texts none of whose names occurs in training, and images of such texts alone; the same gallery.",
}
_DIRECTIONS = {"text_to_image": "text → image", "image_to_text": "image → text"}


def contrastive_of(run: EvaluationRun) -> pd.DataFrame:
    """Return the stored numbers of the contrastive space.

    Raises:
        InputError: if the run has none.
    """
    table = stored_table(
        run, "contrastive", "vectors of a contrastive space", "write it from a checkpoint that has one"
    )
    return table if "pairs" in table else table.assign(pairs=ALL)  # runs of before know all pairs only


@panel(
    "retrieval",
    "Does a text find its image?",
    "Recall@k is how often the partner is among the k nearest of its language's texts or images; chance is what "
    "blind guessing would reach in a gallery of that size; type alone, what one would reach who knows nothing but the "
    "type of a text's only name, or of an image's, and puts all of that type first (texts without a name, or with "
    "several, are guessed blindly).",
    chapter="Retrieval",
)
def retrieval(run: EvaluationRun, other: EvaluationRun | None = None) -> Content:
    """Show recall@1/5/10 in both directions per language, beside those of a run to compare with.

    Pairs without the irrelevant ones, and names that training has and has not, stand apart where the run knows them.
    """
    table, notes = _beside(run, other, contrastive_of, "pairs", "quantity")
    parts = table["quantity"].str.split("@", expand=True).reindex(columns=[0, 1])
    chosen = parts[0].isin(list(_DIRECTIONS))
    table = table[chosen].assign(quantity=parts[0][chosen].map(_DIRECTIONS) + " recall@" + parts[1][chosen])
    subsets = set(table["pairs"])
    nothing_new = {"pairs": subsets == {ALL}, "type_alone": "type_alone" in table and table["type_alone"].isna().all()}
    notes = (*notes, *(sentence for name, sentence in _SUBSETS.items() if name in subsets))
    return Content(
        table=table.drop(columns=[name for name, empty in nothing_new.items() if empty]).reset_index(drop=True),
        rule="a text's partner is its own image, an image's any of its texts; ties count against",
        n=f"{_pairs(run)}; per row in the column n",
        notes=(*notes, *_twins(run)),
    )


def _twins(run: EvaluationRun) -> tuple[str, ...]:
    """State how many texts no model could distinguish: the same words about different images, as in minimal pairs."""
    answers = run.answers()
    sentences = answers.sentences[["language", "image_id"]].assign(text=answers.texts())
    sentences = sentences[sentences["image_id"] != ""]
    n = int((sentences.groupby(["language", "text"])["image_id"].transform("nunique") > 1).sum())
    if not n:
        return ()
    return (
        f"{n:,} of {counted(len(sentences), 'text')} have the very words of a text about another image; as ties "
        "count against, image → text recall@1 is 0 for images with such texts alone, whatever the model.",
    )


@panel(
    "geometry",
    "The shape of the space",
    "Modality gap: distance between the mean text and the mean image; alignment: mean squared distance of partners "
    "(0 is best); uniformity: how evenly vectors spread (more negative is more even); separation: how often a text is "
    "closer to its own image than to another (0.5 is chance).",
    chapter="Geometry",
)
def geometry(run: EvaluationRun, other: EvaluationRun | None = None) -> Content:
    """Show gap, alignment, uniformity and separation per language, beside those of a run to compare with."""
    table, notes = _beside(run, other, contrastive_of, "pairs", "quantity")
    of_recalls = ["pairs", "gallery", "type_alone"]
    table = table[~table["quantity"].str.contains("@")].drop(columns=of_recalls, errors="ignore")
    names = table["quantity"].str.replace("_", " ")
    table = table.assign(quantity=names).reset_index(drop=True)
    return Content(table=table, rule="unit vectors, cosine", n=_pairs(run), notes=notes)


@panel(
    "cosines",
    "Right pairs and wrong pairs",
    "The further the two curves are apart, the better the space tells a text's own image from that of another "
    "sentence of its language.",
    chapter="Cosines",
    height=560,
)
def cosines(run: EvaluationRun, other: EvaluationRun | None = None, language: str = "all") -> Content:
    """Show the cosines of texts with their own and with another sentence's image.

    Args:
        run: with the conditions "matched" and "shuffled".
        other: a run to compare with, whose numbers stand in the table as well.
        language: whose curves, "all" for all; the table has every language.
    """
    from analysis.figures import cosine_histogram

    table, notes = _beside(run, other, _spreads, "pairs")
    known = _cosines_of(run)
    chosen = {name: _of_language(*columns, language) for name, columns in known.items()}
    histogram = _histogram(chosen)
    right, wrong = (number(float(np.median(cosine)) if len(cosine) else None) for cosine in chosen.values())
    return Content(
        table=table,
        figure=cosine_histogram(histogram) if len(histogram) else None,
        figure_data=histogram,
        alternative=f"Two histograms, {language_label(language)}. Median cosine of matched pairs "
        f"{right}, of mismatched pairs {wrong}; {_separation(run, language)}.",
        rule="cosine of text and image in the contrastive space",
        n=f"{counted(len(chosen['matched']), 'matched pair')}, {len(chosen['mismatched']):,} mismatched",
        notes=notes,
    )


def _cosines_of(run: EvaluationRun) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return [S] cosines and [S] languages of the right and of the wrong pairs.

    Raises:
        InputError: if the run lacks one of them.
    """
    if MISMATCHED not in run.conditions:
        raise InputError(f"Run {run.name!r} lacks the condition {MISMATCHED!r}, so there are no wrong pairs to show.")
    answers = (run.answers(), run.answers(MISMATCHED))
    return {name: (one.require("cosine"), one.languages) for name, one in zip(_PAIRS, answers, strict=True)}


def _spreads(run: EvaluationRun) -> pd.DataFrame:
    known = _cosines_of(run)
    languages = ("all", *sorted(set(known["matched"][1])))
    rows = [
        {"language": language, "pairs": name, **_spread(_of_language(*columns, language))}
        for language in languages
        for name, columns in known.items()
    ]
    table = pd.DataFrame(rows)
    return table.astype({name: "float64" for name in table.columns if name not in ("language", "pairs", "n")})


def _of_language(cosine: np.ndarray, languages: np.ndarray, language: str) -> np.ndarray:
    """Return the known cosines of one language, or of all."""
    return cosine[~np.isnan(cosine) & ((languages == language) | (language == "all"))]


def _beside(
    run: EvaluationRun, other: EvaluationRun | None, numbers: Callable[[EvaluationRun], pd.DataFrame], *names: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Put the numbers of both runs under each other, row by row the same language and ``names``.

    Where the other run has no such numbers, those of the one stand alone, with the sentence that says why.
    """
    mine = numbers(run)
    if other is None:
        return mine, ()
    try:
        theirs = numbers(other)
    except InputError as error:
        return mine, (str(error),)
    keys = ["language", *names]
    table = pd.concat([mine.assign(run=run.name), theirs.assign(run=other.name)], ignore_index=True)
    places = {row: place for place, row in enumerate(mine[keys].itertuples(index=False, name=None))}
    found = [places.get(row, len(places)) for row in table[keys].itertuples(index=False, name=None)]
    table = table.iloc[np.argsort(found, kind="stable")].reset_index(drop=True)
    return table[[*keys, "run", *(name for name in table.columns if name not in (*keys, "run"))]], ()


def _separation(run: EvaluationRun, language: str) -> str:
    table = optional_table(run, "contrastive")
    if table is None:
        return "separation not known"
    rows = table[(table["quantity"] == "separation") & (table["language"] == language)]
    return f"separation {with_interval(rows.iloc[0], 'value')}" if len(rows) else "separation not known"


def _spread(values: np.ndarray) -> dict[str, object]:
    names = ("5 % below", "median", "95 % below")
    quantiles = np.quantile(values, [0.05, 0.5, 0.95]) if len(values) else [None] * 3
    return {
        "n": len(values),
        "mean": values.mean() if len(values) else None,
        **dict(zip(names, quantiles, strict=True)),
    }


def _histogram(cosines: dict[str, np.ndarray]) -> pd.DataFrame:
    everything = np.concatenate(list(cosines.values()))
    if not len(everything):
        return pd.DataFrame()
    edges = np.linspace(everything.min(), max(everything.max(), everything.min() + 1e-3), _BINS + 1)
    parts = []
    for name, values in cosines.items():
        share = np.histogram(values, edges)[0] / max(len(values), 1)
        parts.append(pd.DataFrame({"pairs": name, "low": edges[:-1], "high": edges[1:], "share": share}))
    return pd.concat(parts, ignore_index=True)


def _pairs(run: EvaluationRun) -> str:
    rows = contrastive_of(run)
    return counted(int(rows[rows["language"] == "all"]["n"].max()), "pair")

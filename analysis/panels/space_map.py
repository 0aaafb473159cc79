"""The map of the contrastive space, as stored with the run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pandas as pd

from analysis.matching import CORRECT, KINDS, match
from analysis.panels.panel import Content, panel
from analysis.panels.wording import counted, listed
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.answers import Answers
    from analysis.runs import Run

Colour = Literal["language", "type", "error", "modality", "source"]
COLOURS: tuple[Colour, ...] = ("language", "type", "error", "modality", "source")
_TEXT_LENGTH = 70
NO_ERROR, SEVERAL, NO_ENTITY = "no error", "several", "no name"


def points_of(run: Run, projection: Literal["umap", "pca"] = "umap") -> pd.DataFrame:
    """Return the points of the stored map with what they can be coloured by.

    Columns: ``point`` (row number in the stored map), ``x``, ``y``, ``modality``, ``sentence_id``, ``language``,
    ``type`` (gold type of the sentence, or "several"), ``error`` (likewise), ``source``, ``text``.

    Raises:
        InputError: if the run has no map.
    """
    stored = run.coordinates()
    if stored is None or stored.empty:
        raise InputError(f"Run {run.name!r} holds no map; write it from a checkpoint with a contrastive space.")
    answers = run.answers()
    sentences = run.remember("sentence colours", lambda: _describe(answers)).reindex(stored["sentence_id"])
    points = pd.DataFrame(
        {
            "point": range(len(stored)),
            "x": stored[f"{projection}_x"].to_numpy(),
            "y": stored[f"{projection}_y"].to_numpy(),
            "modality": stored["modality"].astype("str").to_numpy(),
            "sentence_id": stored["sentence_id"].to_numpy(),
        }
    )
    for name in sentences.columns:
        points[name] = sentences[name].fillna("not known").to_numpy()
    return points


def pairs_of(points: pd.DataFrame) -> pd.DataFrame:
    """Return x_text, y_text, x_image, y_image of each sentence that has both points."""
    sides = [points[points["modality"] == m].set_index("sentence_id")[["x", "y"]] for m in ("text", "image")]
    return sides[0].join(sides[1], how="inner", lsuffix="_text", rsuffix="_image")


@panel(
    "map",
    "The map of texts and pictures",
    "Points that the model takes for alike lie close together; only neighbourhoods mean something in UMAP, distances "
    "across the map and its axes do not.",
)
def space_map(
    run: Run,
    colour: Colour = "language",
    projection: Literal["umap", "pca"] = "umap",
    joined: tuple[int, ...] = (),
) -> Content:
    """Show the stored map.

    Args:
        run: with coordinates.
        colour: what the points are coloured by.
        projection: UMAP or the first two principal components.
        joined: sentences whose text and picture are to be joined by a line.
    """
    from analysis.figures import space_map as draw

    points = points_of(run, projection)
    pairs = pairs_of(points[points["sentence_id"].isin(joined)]) if joined else None
    counts = points.groupby("modality", sort=False)["point"].count()
    table = points.groupby(["modality", colour] if colour != "modality" else ["modality"], sort=True, observed=True)
    summary = table.agg(n=("point", "count"), mean_x=("x", "mean"), mean_y=("y", "mean")).reset_index()
    parts = [counted(int(n), f"{name} point") for name, n in counts.items()]
    return Content(
        table=summary,
        figure=draw(points, colour=colour, pairs=pairs, types=run.answers().gold.types),
        alternative=f"Scatter of {listed(parts)}, {projection.upper()}, coloured by {colour}; the table has the number "
        "of points and their mean place per colour.",
        rule="cosine; seeded, coordinates stored in the run",
        n=listed(parts),
    )


def _describe(answers: Answers) -> pd.DataFrame:
    """Return language, type, error, source and text per sentence_id."""
    matches = match(answers.gold, answers.predicted)
    n = len(answers)
    wrong = matches.kind != CORRECT
    sentences = answers.sentences
    return pd.DataFrame(
        {
            "language": sentences["language"].to_numpy(dtype=object),
            "type": _one_of(answers.gold.sentence, answers.gold.type_names(), n, NO_ENTITY),
            "error": _one_of(
                matches.sentence[wrong], pd.Series(KINDS).take(matches.kind[wrong]).to_numpy(dtype=object), n, NO_ERROR
            ),
            "source": sentences["source"].where(sentences["source"] != "", "not known").to_numpy(dtype=object),
            "text": [t if len(t) <= _TEXT_LENGTH else f"{t[:_TEXT_LENGTH]}…" for t in answers.texts()],
        },
        index=pd.Index(sentences["sentence_id"], name="sentence_id"),
    )


def _one_of(sentence: object, names: object, n: int, none: str) -> list[str]:
    """Name what a sentence has: the one name, "several" for different ones, ``none`` without any."""
    found = pd.DataFrame({"sentence": sentence, "name": names}).drop_duplicates().groupby("sentence")["name"]
    first = found.first().where(found.size() == 1, SEVERAL)
    return first.reindex(range(n)).fillna(none).tolist()

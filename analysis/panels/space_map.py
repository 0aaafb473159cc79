"""The maps of the contrastive space as stored with a run: texts with their images, and the words of entities."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from analysis.panels.panel import Content, panel
from analysis.panels.wording import counted, join_with_and
from analysis.scores.matching import CORRECT, KINDS, match
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun

Colour = Literal["type", "predicted", "error", "confidence", "language", "modality", "source"]
COLOURS: tuple[Colour, ...] = ("type", "predicted", "error", "confidence", "language", "modality", "source")
Projection = Literal["umap", "pca"]
Map = Literal["pairs", "entities"]
_TEXT_LENGTH = 70
NO_ERROR, SEVERAL, NO_ENTITY, UNKNOWN = "no error", "several", "no name", "not known"
CONFIDENCES = ((0.5, "p below 0.5"), (0.7, "p 0.5 to 0.7"), (0.9, "p 0.7 to 0.9"), (np.inf, "p 0.9 or more"))


def points_of(run: EvaluationRun, projection: Projection = "umap", which: Map = "pairs") -> pd.DataFrame:
    """Return the points of a stored map with the columns that can colour them.

    Columns: ``point`` (row number in that map), ``x``, ``y``, ``modality``, ``sentence_id``, ``language``, ``type``,
    ``predicted`` (type), ``error``, ``confidence`` (in the predicted entities, the least of a sentence), ``source``,
    ``text``. A sentence with different types or errors has "several"; on the map of entities each has its own, the
    error "missed" or "spurious" including wrong boundaries.

    Raises:
        InputError: if the run has no such map.
    """
    stored = run.coordinates()
    if stored is None or which not in set(stored["map"]):
        raise InputError(f"Run {run.name!r} holds no map of {which}; write it from a checkpoint to see one.")
    stored = stored[stored["map"] == which]
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
        points[name] = sentences[name].fillna(UNKNOWN).to_numpy()
    if which == "entities":
        for name, column in _entity_columns(run, stored["entity"].to_numpy()).items():
            points[name] = column
    return points


def pairs_of(points: pd.DataFrame) -> pd.DataFrame:
    """Return x_text, y_text, x_image, y_image of each sentence that has both points."""
    sides = [points[points["modality"] == m].set_index("sentence_id")[["x", "y"]] for m in ("text", "image")]
    return sides[0].add_suffix("_text").join(sides[1].add_suffix("_image"), how="inner")


@panel(
    "map",
    "The map of texts and images",
    "Points that the model takes for alike lie close together; only neighbourhoods mean something in UMAP, distances "
    "across the map and its axes do not.",
    chapter="Map",
    height=760,
)
def space_map(
    run: EvaluationRun,
    colour: Colour = "type",
    projection: Projection = "umap",
    language: str = "all",
    joined: tuple[int, ...] = (),
) -> Content:
    """Show texts and images in the contrastive space.

    Args:
        run: with coordinates.
        colour: what the points are coloured by.
        projection: UMAP or the first two principal components.
        language: whose points, "all" for all; they stay where they are.
        joined: sentences whose text and image are to be joined by a line.
    """
    points = _of_language(points_of(run, projection, "pairs"), language)
    pairs = pairs_of(points[points["sentence_id"].isin(joined)]) if joined else None
    return _map(run, points, colour, projection, pairs)


@panel(
    "entity-map",
    "The map of names",
    "Each point is one name, the mean of its words' vectors in the text encoder; types that lie in one heap are hard "
    "to tell apart by words alone.",
)
def entity_map(
    run: EvaluationRun, colour: Colour = "type", projection: Projection = "umap", language: str = "all"
) -> Content:
    """Show the vectors of gold and predicted entities."""
    return _map(run, _of_language(points_of(run, projection, "entities"), language), colour, projection, None)


def _of_language(points: pd.DataFrame, language: str) -> pd.DataFrame:
    return points if language == "all" else points[points["language"] == language]


def _map(
    run: EvaluationRun, points: pd.DataFrame, colour: Colour, projection: Projection, pairs: pd.DataFrame | None
) -> Content:
    from analysis.figures import space_map as draw

    counts = points.groupby("modality", sort=False)["point"].count()
    grouped = points.groupby(list(dict.fromkeys(["modality", colour])), sort=True)
    table = grouped.agg(n=("point", "count"), mean_x=("x", "mean"), mean_y=("y", "mean")).reset_index()
    parts = [counted(int(n), f"{name} point") for name, n in counts.items()]
    return Content(
        table=table,
        figure=draw(points, colour=colour, pairs=pairs, types=run.answers().gold.types),
        figure_data=points,
        alternative=f"Scatter of {join_with_and(parts)}, {projection.upper()}, coloured by {colour}; the table has the "
        "number of points and their mean place per colour.",
        rule="cosine; seeded, coordinates stored in the run",
        n=join_with_and(parts),
    )


def _describe(answers: Answers) -> pd.DataFrame:
    """Return language, type, error, source and text per sentence_id."""
    matches = match(answers.gold, answers.predicted)
    n = len(answers)
    wrong = matches.kind != CORRECT
    errors = np.array(KINDS, dtype=object)[matches.kind[wrong]]
    sentences = answers.sentences
    return pd.DataFrame(
        {
            "language": sentences["language"].to_numpy(dtype=object),
            "type": _one_of(answers.gold.sentence, answers.gold.type_names(), n, NO_ENTITY),
            "predicted": _one_of(answers.predicted.sentence, answers.predicted.type_names(), n, NO_ENTITY),
            "error": _one_of(matches.sentence[wrong], errors, n, NO_ERROR),
            "confidence": _confidences(answers),
            "source": sentences["source"].where(sentences["source"] != "", UNKNOWN).to_numpy(dtype=object),
            "text": [_short(text) for text in answers.texts()],
        },
        index=pd.Index(sentences["sentence_id"], name="sentence_id"),
    )


def _one_of(sentence: np.ndarray, names: np.ndarray, n: int, none: str) -> list[str]:
    """Name what a sentence has: the one name, "several" for different ones, ``none`` without any."""
    found = pd.DataFrame({"sentence": sentence, "name": names}).drop_duplicates().groupby("sentence")["name"]
    first = found.first().where(found.size() == 1, SEVERAL)
    return first.reindex(range(n)).fillna(none).tolist()


def _entity_columns(run: EvaluationRun, rows: np.ndarray) -> dict[str, np.ndarray | list[str]]:
    """Return type, error and text of the entities in these rows of the stored arrays."""
    names = ("sentence_id", "start", "end", "gold", "predicted")
    sentence, start, end, gold, predicted = (run.embedding(f"entity_{name}")[rows] for name in names)
    types = np.array(run.provenance.get("types", ()), dtype=object)
    if max(gold.max(initial=-1), predicted.max(initial=-1)) >= len(types):
        raise InputError(f"Run {run.name!r} does not name all the types of its entity vectors; write it anew.")
    answers = run.answers()
    place = pd.Index(answers.sentences["sentence_id"]).get_indexer(pd.Index(sentence))
    texts = [
        _short(" ".join(answers.words_of(row)[i:j]))
        for row, i, j in zip(place, start.tolist(), end.tolist(), strict=True)
    ]
    errors = np.select([gold == predicted, gold < 0, predicted < 0], [NO_ERROR, "spurious", "missed"], "wrong type")
    return {
        "type": types[np.where(gold >= 0, gold, predicted)],
        "predicted": np.where(predicted >= 0, types[predicted], NO_ENTITY),
        "error": errors,
        "confidence": _of_entities(answers, place, start, end, predicted),
        "text": texts,
    }


def _confidences(answers: Answers) -> list[str]:
    """Return for each sentence the confidence class of its least confident predicted entity."""
    if answers.confidence is None:
        return [UNKNOWN] * len(answers)
    least = pd.Series(answers.confidence).groupby(answers.predicted.sentence).min().reindex(range(len(answers)))
    return _classes(least.to_numpy())


def _of_entities(
    answers: Answers, row: np.ndarray, start: np.ndarray, end: np.ndarray, predicted: np.ndarray
) -> list[str]:
    """Return for each entity the class of its probability; none for one that was not predicted."""
    if answers.confidence is None:
        return [UNKNOWN] * len(row)
    spans = answers.predicted
    keys = zip(spans.sentence.tolist(), spans.start.tolist(), spans.end.tolist(), strict=True)
    known = dict(zip(keys, answers.confidence.tolist(), strict=True))
    found = zip(row.tolist(), start.tolist(), end.tolist(), strict=True)
    return _classes(np.where(predicted >= 0, [known.get(key, np.nan) for key in found], np.nan))


def _classes(confidence: np.ndarray) -> list[str]:
    names = [name for _, name in CONFIDENCES]
    places = np.searchsorted([bound for bound, _ in CONFIDENCES], confidence, side="right")
    return [NO_ENTITY if np.isnan(p) else names[i] for p, i in zip(confidence.tolist(), places.tolist(), strict=True)]


def _short(text: str) -> str:
    return text if len(text) <= _TEXT_LENGTH else f"{text[:_TEXT_LENGTH]}…"

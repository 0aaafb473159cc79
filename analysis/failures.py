"""The failure table: one row per error, to be filtered, sorted and paged by :mod:`analysis.query`.

An error is one group of :mod:`analysis.matching` that is not "correct". Columns:

======================= ==============================================================================================
sentence, sentence_id   row number in the answers, and the run's number of it
where, language, source file and line, language, data set
pair_kind               pairing kind of sentence and photo
text                    the sentence
image_id, image_path    the photo shown
error, detail           class and boundary detail
gold_type, gold_text    the annotated entities of the group, several joined by " | "; empty for spurious
gold_start, gold_end    words from the first one's start to the last one's end; missing for spurious
predicted_...           the same of the predicted entities; empty or missing for missed
gold_line, predicted_line  the whole sentence with all its annotated or predicted entities in brackets
span_probability        of the predicted entities, the least of a group
gold_probability        of the annotated entities, the least of a group
loss                    of the sentence: CRF negative log-likelihood, nats
image_text_cosine       of the sentence
attention_entropy       of the predicted entities, the greatest of a group, nats
without_image           what the model marks there without the image: "unchanged", "right", "nothing", or the entities
seen                    training has the (first annotated, else predicted) surface: with this label, another, never
======================= ==============================================================================================

What a run cannot know (no model, no image, no training data) is a missing value.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.answers import Answers
from analysis.categories import from_codes
from analysis.compare import align
from analysis.lexicon import Lexicon
from analysis.matching import CORRECT, DETAILS, KINDS, SPURIOUS, Matches, match
from analysis.noise import per_group
from analysis.spans import Spans
from analysis.wording import NOTHING, SEPARATOR, bracketed, entity_names, touching


def failure_table(answers: Answers, *, lexicon: Lexicon | None = None, without: Answers | None = None) -> pd.DataFrame:
    """List the errors in the order of the text.

    Args:
        answers: under the condition of interest.
        lexicon: training surfaces, for ``seen``.
        without: the same run without image, for ``without_image``; sentences it lacks get a missing value.

    Raises:
        InputError: if ``without`` is about other sentences.
    """
    matches = match(answers.gold, answers.predicted)
    errors = np.flatnonzero(matches.kind != CORRECT)
    sentence = matches.sentence[errors]
    sentences = answers.sentences.iloc[sentence].reset_index(drop=True)
    gold_lines, predicted_lines = _lines(answers, answers.gold, sentence), _lines(answers, answers.predicted, sentence)
    texts = answers.texts()
    columns = {
        "sentence": sentence,
        "sentence_id": sentences["sentence_id"],
        "where": sentences["where"],
        "language": sentences["language"].astype("category"),
        "source": sentences["source"].astype("category"),
        "pair_kind": sentences["kind"].astype("category"),
        "text": [texts[i] for i in sentence],
        "image_id": sentences["image_id"],
        "image_path": sentences["image_path"],
        "error": from_codes(matches.kind[errors], KINDS),
        "detail": from_codes(matches.detail[errors], DETAILS),
        **_side("gold", answers, answers.gold, matches.gold_rows[errors]),
        **_side("predicted", answers, answers.predicted, matches.predicted_rows[errors]),
        "gold_line": gold_lines,
        "predicted_line": predicted_lines,
        "span_probability": _reduced(np.minimum, answers.confidence, matches.predicted_rows, errors),
        "gold_probability": _reduced(np.minimum, answers.gold_confidence, matches.gold_rows, errors),
        "loss": _of_sentence(answers.loss, sentence),
        "image_text_cosine": _of_sentence(answers.cosine, sentence),
        "attention_entropy": _reduced(np.fmax, answers.attention_entropy, matches.predicted_rows, errors),
        "without_image": pd.Series(_without_image(answers, without, matches, errors), dtype="str"),
        "seen": pd.Series(_seen(answers, lexicon, matches, errors), dtype="str"),
    }
    return pd.DataFrame(columns)


def _side(name: str, answers: Answers, spans: Spans, rows: np.ndarray) -> dict[str, object]:
    """Describe the entities of one side of each group."""
    types, texts = spans.type_names().tolist(), spans.texts(answers.words)
    ranges = rows.tolist()
    filled = rows[:, 1] > rows[:, 0]
    start, end = np.full(len(rows), np.nan), np.full(len(rows), np.nan)
    start[filled], end[filled] = spans.start[rows[filled, 0]], spans.end[rows[filled, 1] - 1]
    return {
        f"{name}_type": pd.Series([SEPARATOR.join(types[i:j]) for i, j in ranges], dtype="category"),
        f"{name}_text": pd.Series([SEPARATOR.join(texts[i:j]) for i, j in ranges], dtype="str"),
        f"{name}_start": pd.Series(start, dtype="Int32"),
        f"{name}_end": pd.Series(end, dtype="Int32"),
    }


def _lines(answers: Answers, spans: Spans, sentence: np.ndarray) -> list[str]:
    """Write each error's sentence once, however many errors it has."""
    bounds, entities = spans.bounds(), spans.entities()
    lines = {
        row: bracketed(answers.words_of(row), entities[bounds[row] : bounds[row + 1]])
        for row in np.unique(sentence).tolist()
    }
    return [lines[row] for row in sentence.tolist()]


def _reduced(reduce: np.ufunc, values: np.ndarray | None, rows: np.ndarray, errors: np.ndarray) -> np.ndarray:
    if values is None:
        return np.full(len(errors), np.nan)
    return per_group(reduce, values, rows)[errors]


def _of_sentence(values: np.ndarray | None, sentence: np.ndarray) -> np.ndarray:
    return np.full(len(sentence), np.nan) if values is None else values[sentence]


def _without_image(answers: Answers, without: Answers | None, matches: Matches, errors: np.ndarray) -> list[str | None]:
    """Say for each error what is marked on the group's words when the model is given no image."""
    if without is None:
        return [None] * len(errors)
    _, other = align(answers, without)
    row_of = {sentence: row for row, sentence in enumerate(other.sentences["sentence_id"].tolist())}
    ids = answers.sentences["sentence_id"].tolist()
    gold, predicted, blind = (spans.entities() for spans in (answers.gold, answers.predicted, other.predicted))
    bounds, names = other.predicted.bounds(), entity_names(other.predicted, other.words)
    said: list[str | None] = []
    for group in errors.tolist():
        row = row_of.get(ids[matches.sentence[group]])
        if row is None:
            said.append(None)
            continue
        right = gold[slice(*matches.gold_rows[group])]
        mine = predicted[slice(*matches.predicted_rows[group])]
        start, end = min(e.start for e in right + mine), max(e.end for e in right + mine)
        there = touching(other.predicted, bounds, row, start, end)
        entities = [blind[i] for i in there]
        if entities == mine:
            said.append("unchanged")
        elif entities == right:
            said.append("right")
        else:
            said.append(SEPARATOR.join(names[i] for i in there) or NOTHING)
    return said


def _seen(answers: Answers, lexicon: Lexicon | None, matches: Matches, errors: np.ndarray) -> list[str | None]:
    if lexicon is None:
        return [None] * len(errors)
    seen = [lexicon.seen(spans.texts(answers.words), spans.type_names()) for spans in (answers.gold, answers.predicted)]
    has_gold = matches.kind[errors] != SPURIOUS
    first = np.where(has_gold, matches.gold_rows[errors, 0], matches.predicted_rows[errors, 0])
    return [seen[0 if gold else 1][row] for gold, row in zip(has_gold, first, strict=True)]

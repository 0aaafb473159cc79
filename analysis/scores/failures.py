"""The failure table: one row per error, for :mod:`analysis.scores.query` to filter, sort and page.

An error is one group of :mod:`analysis.scores.matching` that is not "correct". Columns:

======================= ==============================================================================================
sentence, sentence_id   row number in the answers, and the run's number of it
where, language, source file and line, language, data set
pair_kind               pairing kind of sentence and photo
text                    the sentence
image_id, image_path    the photo shown
loss                    of the sentence: CRF negative log-likelihood, nats
image_text_cosine       of the sentence
error, detail           class and boundary detail
gold_type, gold_text    the annotated entities of the group, several joined by " | "; empty for spurious
gold_start, gold_end    words from the first one's start to the last one's end; missing for spurious
predicted_...           the same of the predicted entities; empty or missing for missed
gold_line, predicted_line  the whole sentence with all its annotated or predicted entities in brackets
span_probability        of the predicted entities, the least of a group
gold_probability        of the annotated entities, the least of a group
attention_entropy       of the predicted entities, the greatest of a group, nats
without_image           what the model marks there without the image: "unchanged", "right", "nothing", or the entities
seen                    training has the (first annotated, else predicted) surface: with this label, another, never
======================= ==============================================================================================

What a run cannot know (no model, no image, no training data) is a missing value.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from analysis.run.answers import Answers
from analysis.run.categorical import from_codes
from analysis.run.lexicon import Lexicon
from analysis.run.spans import Spans
from analysis.run.wording import SEPARATOR, bracketed, entity_names, name_groups, touching
from analysis.scores.compare import align
from analysis.scores.label_noise import per_group
from analysis.scores.matching import CORRECT, DETAILS, KINDS, SPURIOUS, Matches, match


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
    words = answers.table["words"]
    gold_lines, predicted_lines = (bracketed(words, spans) for spans in (answers.gold, answers.predicted))
    columns = {
        "sentence": sentence,
        **sentence_columns(answers, sentence),
        "error": from_codes(matches.kind[errors], KINDS),
        "detail": from_codes(matches.detail[errors], DETAILS),
        **_side("gold", answers, answers.gold, matches.gold_rows[errors]),
        **_side("predicted", answers, answers.predicted, matches.predicted_rows[errors]),
        "gold_line": _taken(gold_lines, sentence),
        "predicted_line": _taken(predicted_lines, sentence),
        "span_probability": _reduced(np.minimum, answers.confidence, matches.predicted_rows, errors),
        "gold_probability": _reduced(np.minimum, answers.gold_confidence, matches.gold_rows, errors),
        "attention_entropy": _reduced(np.fmax, answers.attention_entropy, matches.predicted_rows, errors),
        "without_image": pd.Series(_without_image(answers, without, matches, errors), dtype="str"),
        "seen": pd.Series(_seen(answers, lexicon, matches, errors), dtype="str"),
    }
    return pd.DataFrame(columns)


def sentence_columns(answers: Answers, rows: np.ndarray) -> dict[str, object]:
    """Return the columns of the failure table that are facts about a sentence, one value for each of ``rows``."""
    sentences = answers.sentences.iloc[rows].reset_index(drop=True)
    texts = pc.binary_join(answers.table["words"].combine_chunks(), " ")
    return {
        "sentence_id": sentences["sentence_id"],
        "where": sentences["where"],
        "language": sentences["language"].astype("category"),
        "source": sentences["source"].astype("category"),
        "pair_kind": sentences["kind"].astype("category"),
        "text": _taken(texts, rows),
        "image_id": sentences["image_id"],
        "image_path": sentences["image_path"],
        "loss": _of_sentence(answers.loss, rows),
        "image_text_cosine": _of_sentence(answers.cosine, rows),
    }


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


def _taken(texts: pa.Array, rows: np.ndarray) -> pd.Series:
    """Return some of the texts, from Arrow to Arrow without Python strings."""
    return texts.take(pa.array(rows)).to_pandas().astype("str")


def _reduced(reduce: np.ufunc, values: np.ndarray | None, rows: np.ndarray, errors: np.ndarray) -> np.ndarray:
    if values is None:
        return np.full(len(errors), np.nan)
    return per_group(reduce, values, rows)[errors]


def _of_sentence(values: np.ndarray | None, sentence: np.ndarray) -> np.ndarray:
    return np.full(len(sentence), np.nan) if values is None else values[sentence]


def _without_image(
    answers: Answers, without: Answers | None, matches: Matches, errors: np.ndarray
) -> list[str | None] | np.ndarray:
    """Return for each error what the model marks on the group's words without an image."""
    if without is None:
        return [None] * len(errors)
    mine, other = align(answers, without)
    gold, predicted = matches.gold_rows[errors], matches.predicted_rows[errors]
    start, end = _words_of(answers, gold, predicted)
    ids = answers.sentences["sentence_id"].to_numpy()[matches.sentence[errors]]
    rows = pd.Index(mine.sentences["sentence_id"]).get_indexer(pd.Index(ids))
    there = touching(other.predicted, rows, start, end)
    codes = {name: code for code, name in enumerate(dict.fromkeys((*answers.gold.types, *other.predicted.types)))}
    blind = _keys(other.predicted, codes)
    said = np.full(len(errors), None, dtype=object)
    said[:] = name_groups(entity_names(other.predicted, other.words), there)
    said[_same(blind, there, _keys(answers.gold, codes), gold)] = "right"
    said[_same(blind, there, _keys(answers.predicted, codes), predicted)] = "unchanged"
    said[rows < 0] = None
    return said


def _words_of(answers: Answers, gold: np.ndarray, predicted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return [G] first word and word after the last of each group, over both sides; one of them may be empty."""
    start, end = np.full(len(gold), np.iinfo(np.int64).max), np.zeros(len(gold), dtype=np.int64)
    for spans, rows in ((answers.gold, gold), (answers.predicted, predicted)):
        filled = rows[:, 1] > rows[:, 0]
        start[filled] = np.minimum(start[filled], spans.start[rows[filled, 0]])
        end[filled] = np.maximum(end[filled], spans.end[rows[filled, 1] - 1])
    return start, end


def _keys(spans: Spans, codes: dict[str, int]) -> np.ndarray:
    """Return [N, 3] start, end and type, the same for the same entity of the same sentence."""
    types = np.array([codes[name] for name in spans.types], dtype=np.int64)
    return np.stack([spans.start, spans.end, types[spans.type] if len(spans) else spans.type], axis=-1)


def _same(keys: np.ndarray, rows: np.ndarray, others: np.ndarray, other_rows: np.ndarray) -> np.ndarray:
    """Return whether both sides of each group hold the same entities; [G, 2] rows into the [N, 3] keys of each side."""
    n = rows[:, 1] - rows[:, 0]
    same = n == other_rows[:, 1] - other_rows[:, 0]
    for place in range(n[same].max(initial=0)):
        groups = np.flatnonzero(same & (n > place))
        same[groups] = (keys[rows[groups, 0] + place] == others[other_rows[groups, 0] + place]).all(axis=-1)
    return same


def _seen(answers: Answers, lexicon: Lexicon | None, matches: Matches, errors: np.ndarray) -> list[None] | np.ndarray:
    if lexicon is None:
        return [None] * len(errors)
    has_gold = matches.kind[errors] != SPURIOUS
    seen = np.empty(len(errors), dtype=object)
    sides = ((has_gold, answers.gold, matches.gold_rows), (~has_gold, answers.predicted, matches.predicted_rows))
    for chosen, spans, rows in sides:
        first = spans.take(rows[errors[chosen], 0])
        seen[chosen] = lexicon.seen(first.texts(answers.words), first.type_names())
    return seen

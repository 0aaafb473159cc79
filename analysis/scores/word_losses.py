"""Finds words that are systematically predicted badly, by the loss that the stored probabilities give each word.

The loss of a word is the negative logarithm of the probability of what is annotated there, in nats: of the annotated
entity it belongs to; where it belongs to none but was marked, of that mark being wrong; elsewhere 0, for a run stores
no probability there. It bounds the loss of the word's tag from above: a tag is at least as probable as its entity.
"""

from __future__ import annotations

import unicodedata

import numpy as np
import pandas as pd

from analysis.run.answers import Answers
from analysis.scores.estimate import mean_estimate
from mmner_core.labels import OUTSIDE, split_tag

MIN_COUNT = 3
"""Occurrences below which a word shows no system."""
_LEAST = 1e-6
"""Stands for a probability of 0, whose logarithm there is not."""


def word_losses(answers: Answers) -> pd.DataFrame:
    """Return one row per word of every sentence: row (of the sentence), sentence_id, language, word, gold, loss, wrong.

    Raises:
        InputError: if the run holds no probabilities.
    """
    confidence, gold_confidence = answers.require("confidence"), answers.require("gold_confidence")
    n_words = answers.gold.n_words
    loss = np.zeros(int(n_words.sum()))
    for spans, probability in ((answers.predicted, 1 - confidence), (answers.gold, gold_confidence)):
        lengths = spans.end - spans.start
        places = np.repeat(spans.first, lengths) + _counted(lengths)
        loss[places] = np.repeat(-np.log(np.clip(probability, _LEAST, 1.0)), lengths)
    row = np.repeat(np.arange(len(answers)), n_words)
    gold, tags = (answers.table[name].combine_chunks().flatten().to_pandas().to_numpy() for name in ("gold", "tags"))
    return pd.DataFrame(
        {
            "row": row,
            "sentence_id": answers.sentences["sentence_id"].to_numpy()[row],
            "language": answers.languages[row],
            "word": answers.words,
            "gold": gold,
            "loss": loss,
            "wrong": gold != tags,
        }
    )


def worst_words(losses: pd.DataFrame, *, min_count: int = MIN_COUNT, limit: int = 50, seed: int = 0) -> pd.DataFrame:
    """Rank the words by their mean loss, highest first.

    Spellings that differ in case alone are one word, under the most frequent of them; languages are kept apart.

    Args:
        losses: from :func:`word_losses`.
        min_count: occurrences that a word needs.
        limit: how many to return per language.
        seed: of the bootstrap.

    Returns:
        language, word, gold (its most frequent tag), n, wrong (share), loss (mean) with its interval low, high over
        sentences, total (loss), sentence_id of its worst occurrence.
    """
    key = losses["word"].map(lambda word: unicodedata.normalize("NFKC", word).casefold())
    groups = losses.assign(key=key)[key != ""].groupby(["language", "key"], sort=True)
    found = groups.agg(n=("loss", "size"), loss=("loss", "mean"), total=("loss", "sum"), wrong=("wrong", "mean"))
    found = found[(found["n"] >= min_count) & (found["total"] > 0)].sort_values("loss", ascending=False, kind="stable")
    found = found.groupby("language", sort=False).head(limit)
    rows = []
    for group, numbers in found.iterrows():
        mine = groups.get_group(group)
        estimate = mean_estimate(mine["loss"].to_numpy(), clusters=mine["row"].to_numpy(), seed=seed)
        interval = estimate.interval
        rows.append(
            {
                "language": group[0],  # type: ignore[index]
                "word": _most_frequent(mine["word"]),
                "gold": _most_frequent(mine["gold"]),
                "n": int(numbers["n"]),
                "wrong": numbers["wrong"],
                "loss": numbers["loss"],
                "low": interval.low if interval else None,
                "high": interval.high if interval else None,
                "total": numbers["total"],
                "sentence_id": int(mine["sentence_id"].iloc[int(mine["loss"].to_numpy().argmax())]),
            }
        )
    columns = ["language", "word", "gold", "n", "wrong", "loss", "low", "high", "total", "sentence_id"]
    return pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(("wrong", "loss", "low", "high", "total"), float))


def label_losses(losses: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Average the losses per language and annotated type, "O" for words outside entities, highest first.

    Returns:
        language ("all" first), type, n (words), wrong (share), loss (mean) with its interval low, high over sentences.
    """
    types = losses["gold"].map(lambda tag: split_tag(tag)[1] or OUTSIDE)
    rows = []
    for language in ("all", *sorted(set(losses["language"]))):
        of_language = losses if language == "all" else losses[losses["language"] == language]
        for entity_type, mine in of_language.groupby(types, sort=True):
            estimate = mean_estimate(mine["loss"].to_numpy(), clusters=mine["row"].to_numpy(), seed=seed).to_row()
            row = {"language": language, "type": entity_type, "n": len(mine), "wrong": mine["wrong"].mean()}
            rows.append(row | {"loss": estimate["value"], "low": estimate["low"], "high": estimate["high"]})
    columns = ["language", "type", "n", "wrong", "loss", "low", "high"]
    table = pd.DataFrame(rows, columns=columns).astype(dict.fromkeys(("wrong", "loss", "low", "high"), float))
    order = table["language"].map({name: place for place, name in enumerate(dict.fromkeys(table["language"]))})
    return table.assign(order=order).sort_values(["order", "loss"], ascending=[True, False]).drop(columns="order")


def _counted(lengths: np.ndarray) -> np.ndarray:
    """Return 0, 1, ... for each length, one after the other."""
    ends = np.cumsum(lengths)
    return np.arange(int(ends[-1]) if len(ends) else 0) - np.repeat(ends - lengths, lengths)


def _most_frequent(values: pd.Series) -> str:
    counts = values.value_counts(sort=False)
    return str(min(counts[counts == counts.max()].index))

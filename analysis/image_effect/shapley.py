"""Exact Shapley shares of an entity's probability: how much is due to the text and how much to the image.

The game: players are the text and the image (or the text and each image stream). The value of a coalition is the exact
CRF probability of the gold entity (this span with this type) when the model sees only those players:

* without image: no image at all, as in a text without photo;
* without a stream: that stream has only its "no image" key, the other is as it was;
* without text: every word is replaced by the unknown token. The number of words and their order remain, so "nothing"
  is the model's prior for an entity of that type at that place in a sentence of that length, not an absolute zero.

Shares add up to v(everyone) - v(nobody), exactly (efficiency axiom, Shapley 1953). The crude number beside them,
v(everyone) - v(everyone but one), credits what both could have done alone to neither.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import combinations
from math import factorial
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.scores.breakdowns import by_part
from analysis.scores.estimate import mean_estimate
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

# Which image condition of a run shows which players.
TEXT_AND_IMAGE = {
    frozenset[str](): "nothing",
    frozenset({"text"}): "none",
    frozenset({"image"}): "image_only",
    frozenset({"text", "image"}): "matched",
}
TEXT_AND_STREAMS = {
    frozenset[str](): "nothing",
    frozenset({"text"}): "none",
    frozenset({"vit"}): "vit_only",
    frozenset({"cnn"}): "cnn_only",
    frozenset({"text", "vit"}): "text+vit",
    frozenset({"text", "cnn"}): "text+cnn",
    frozenset({"vit", "cnn"}): "image_only",
    frozenset({"text", "vit", "cnn"}): "matched",
}


def shapley_shares(values: Mapping[frozenset[str], np.ndarray]) -> dict[str, np.ndarray]:
    """Return each player's share from the value of every coalition; arrays are taken element by element.

    Share of i: sum over coalitions C without i of |C|! (n - |C| - 1)! / n! * (v(C + i) - v(C)).

    Raises:
        ValueError: if a coalition is missing.
    """
    players = sorted(frozenset().union(*values))
    n = len(players)
    if len(values) != 2**n:
        raise ValueError(f"{n} players make {2**n} coalitions, but {len(values)} have a value.")
    shares = {}
    for player in players:
        others = [p for p in players if p != player]
        share = np.zeros_like(np.asarray(values[frozenset()], dtype=float))
        for size in range(n):
            weight = factorial(size) * factorial(n - size - 1) / factorial(n)
            for chosen in combinations(others, size):
                share += weight * (values[frozenset((*chosen, player))] - values[frozenset(chosen)])
        shares[player] = share
    return shares


def drop_one(values: Mapping[frozenset[str], np.ndarray]) -> dict[str, np.ndarray]:
    """Return for each player v(everyone) - v(everyone else), the number usually reported."""
    everyone = frozenset().union(*values)
    return {player: values[everyone] - values[everyone - {player}] for player in sorted(everyone)}


def entity_shares(run: EvaluationRun, coalitions: Mapping[frozenset[str], str] | None = None) -> pd.DataFrame:
    """Return one row per gold entity whose sentence took part in all conditions.

    Columns: ``sentence_id``, ``language``, ``type``, ``start``, ``end``, ``text``; ``total`` (v(everyone) - v(nobody)),
    ``nothing`` and ``everything`` (these two values); per player ``share_...`` and ``drop_...``.

    Args:
        run: with the conditions named in ``coalitions``.
        coalitions: which condition shows which players; default :data:`TEXT_AND_IMAGE`.

    Raises:
        InputError: if the run lacks a condition or the probabilities of gold entities.
    """
    coalitions = coalitions or TEXT_AND_IMAGE
    answers = {players: run.answers(condition) for players, condition in coalitions.items()}
    taking_part = sorted(set.intersection(*(set(a.sentences["sentence_id"]) for a in answers.values())))
    frames = {}
    for players, answer in answers.items():
        rows = pd.Index(answer.sentences["sentence_id"]).get_indexer(pd.Index(taking_part))
        frames[players] = answer.take(rows)
    everyone = frozenset().union(*frames)
    values = {players: answer.require("gold_confidence") for players, answer in frames.items()}
    reference = frames[everyone]
    if any(len(value) != len(reference.gold) for value in values.values()):
        raise InputError(f"Run {run.name!r}: its conditions differ in their gold tags; write the run anew.")
    gold = reference.gold
    sentences = reference.sentences.iloc[gold.sentence]
    columns = {
        "sentence_id": sentences["sentence_id"].to_numpy(),
        "language": sentences["language"].to_numpy(),
        "type": gold.type_names(),
        "start": gold.start,
        "end": gold.end,
        "text": gold.texts(reference.words),
        "nothing": values[frozenset()],
        "everything": values[everyone],
        "total": values[everyone] - values[frozenset()],
    }
    columns |= {f"share_{player}": share for player, share in shapley_shares(values).items()}
    columns |= {f"drop_{player}": drop for player, drop in drop_one(values).items()}
    return pd.DataFrame(columns)


def share_table(shares: pd.DataFrame, *, seed: int = 0) -> pd.DataFrame:
    """Average the rows of :func:`entity_shares` per language and type, and over all.

    One row per ``language``, ``type`` and ``quantity`` (total, share_..., drop_...) with ``value``, ``low``, ``high``
    and ``n`` (entities); the interval resamples sentences. Values are differences of probabilities, -1 to 1.
    """
    quantities = [name for name in shares.columns if name == "total" or name.startswith(("share_", "drop_"))]
    rows = []
    for language, of_language in by_part(shares["language"]):
        for entity_type, of_type in by_part(shares["type"]):
            chosen = shares[of_language & of_type]
            clusters = chosen["sentence_id"].to_numpy()
            for quantity in quantities:
                estimate = mean_estimate(chosen[quantity].to_numpy(), clusters=clusters, seed=seed)
                rows.append({"language": language, "type": entity_type, "quantity": quantity} | estimate.to_row())
    return pd.DataFrame(rows)

"""The panels of Shapley shares: between text and image, or between text and each image stream."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from analysis.image_effect.shapley import TEXT_AND_IMAGE, TEXT_AND_STREAMS, entity_shares, share_table
from analysis.panels.facts import probability_of, why_left_out
from analysis.panels.panel import Content, panel
from analysis.panels.stored import table_of
from analysis.panels.wording import counted, number
from analysis.scores.breakdowns import ALL
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from analysis.run.folder import EvaluationRun


@panel(
    "shapley",
    "Text and image: who earns the probability",
    "The Shapley shares add up to what the model gains over seeing nothing at all; the crude drop-one number beside "
    "them credits nobody with what both could have done alone.",
    chapter="Shapley shares",
    height=560,
)
def shapley(run: EvaluationRun) -> Content:
    """Show the shares of text and image per language and type."""
    return _shares(run, TEXT_AND_IMAGE, "shapley")


@panel(
    "shapley-streams",
    "Text and each image stream",
    "The same shares with the two image streams apart; a stream with a share of 0 could be left out.",
    height=560,
)
def shapley_streams(run: EvaluationRun) -> Content:
    """Show the shares of text and of the ViT and CNN streams."""
    return _shares(run, TEXT_AND_STREAMS, "shapley_streams")


def shares_of(run: EvaluationRun, coalitions: Mapping[frozenset[str], str]) -> pd.DataFrame:
    """Return one row per gold entity with its shares, worked out once.

    Raises:
        InputError: if the run lacks a condition or the probabilities.
    """
    if missing := [name for name in coalitions.values() if name not in run.conditions]:
        reason = why_left_out(run.provenance, missing)
        raise InputError(
            f"Run {run.name!r} lacks the conditions {', '.join(missing)}, without which Shapley shares are not "
            f"defined; {f'{reason}.' if reason else 'write it with them.'}"
        )
    return run.remember(("shapley", tuple(coalitions.values())), lambda: entity_shares(run, coalitions))


def shares_of_sentence(run: EvaluationRun, sentence_id: int) -> pd.DataFrame:
    """Return the shares of each gold entity of a sentence: of text and each image stream, else of text and image.

    Columns: start, end, text, type, ``nothing``, ``share_...`` per player, and ``everything``, which they add up to.

    Raises:
        InputError: if the run lacks the conditions or probabilities of both games, or the sentence took part in none.
    """
    games = (TEXT_AND_STREAMS, TEXT_AND_IMAGE)
    coalitions = next((game for game in games if set(game.values()) <= set(run.conditions)), TEXT_AND_IMAGE)
    shares = shares_of(run, coalitions)
    mine = shares[shares["sentence_id"] == sentence_id]
    if mine.empty:
        raise InputError("No gold entity here took part in all conditions: only those beside a photo do.")
    columns = [f"share_{player}" for player in players_of(coalitions)]
    return mine[["start", "end", "text", "type", "nothing", *columns, "everything"]].reset_index(drop=True)


def players_of(coalitions: Mapping[frozenset[str], str]) -> list[str]:
    """Return the players of a game, the text first."""
    return sorted(frozenset().union(*coalitions), key=lambda player: (player != "text", player))


def _shares(run: EvaluationRun, coalitions: Mapping[frozenset[str], str], key: str) -> Content:
    from analysis.figures import shapley_bars

    players = players_of(coalitions)
    table = table_of(run, key, lambda: share_table(shares_of(run, coalitions)))
    everything = table[(table["language"] == ALL) & (table["type"] == ALL)]
    n = int(everything["n"].max())
    if not n:
        raise InputError("No gold entity stands in a sentence with a photo, so there is nothing to share out.")
    margins = table[(table["type"] == ALL) | (table["language"] == ALL)]
    labels = margins["language"].where(margins["language"] != ALL, margins["type"])
    overall = everything.set_index("quantity")["value"]
    parts = ", ".join(f"{player} {number(overall[f'share_{player}'], sign=True)}" for player in players)
    return Content(
        table=_wide(table, players),
        figure=shapley_bars(margins.assign(label=labels), players),
        alternative=f"Stacked bars of mean shares per language and per type. All: {parts}; total "
        f"{number(overall['total'], sign=True)}.",
        rule=f"{probability_of(run.provenance)}; shares from -1 to 1, intervals over sentences",
        n=f"{counted(n, 'gold entity', 'gold entities')} with a photo",
    )


def _wide(table: pd.DataFrame, players: list[str]) -> pd.DataFrame:
    """Put the quantities of a slice beside each other: shares with intervals, the crude numbers without, and n."""
    order = ["total", *(f"{kind}_{player}" for player in players for kind in ("share", "drop"))]
    keys = table[["language", "type", "n"]].drop_duplicates(ignore_index=True)
    for quantity in order:
        rows = table[table["quantity"] == quantity].reset_index(drop=True)
        keys[quantity] = rows["value"]
        if not quantity.startswith("drop_"):
            keys[f"{quantity}_low"], keys[f"{quantity}_high"] = rows["low"], rows["high"]
    return keys

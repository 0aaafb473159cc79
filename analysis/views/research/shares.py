"""The Shapley shares of one sentence's entities: how much of each probability text and image streams bring."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.panels.shapley import shares_of_sentence
from analysis.views.rendering import macros, render
from analysis.views.research.tables import table_html
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.views.research.tab_request import TabRequest

PLAYER_NAMES = {"text": "text", "image": "image", "vit": "image, ViT stream", "cnn": "image, ResNet stream"}


def shares_html(request: TabRequest, sentence: int) -> Markup:
    """Return the Shapley shares of the sentence's gold entities, as bars and as numbers; else why there are none."""
    from analysis.figures.theme import colours_of

    try:
        shares = shares_of_sentence(request.run, sentence)
    except InputError as error:
        return macros("research/macros").how(str(error))
    players = [name.removeprefix("share_") for name in shares.columns if name.startswith("share_")]
    colours = colours_of(players)
    names = {player: PLAYER_NAMES.get(player, player) for player in players}
    entities = [
        {
            "name": f"{row['type']} {row['text']}",
            "shares": [{"value": row[f"share_{player}"], "colour": colours[player]} for player in players],
        }
        for _, row in shares.iterrows()
    ]
    table = shares.drop(columns=["start", "end"]).rename(
        columns={"text": "name"} | {f"share_{player}": name for player, name in names.items()}
    )
    return render(
        "research/shares",
        players=[{"name": name, "colour": colours[player]} for player, name in names.items()],
        entities=entities,
        table=table_html(table, "Shapley shares per entity"),
    )

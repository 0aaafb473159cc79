"""Galleries of the names whose image helped or hurt the model most, each one click from the inspector."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from analysis.panels import modality
from analysis.panels.wording import number
from analysis.views.rendering import render
from analysis.views.research.panel_html import panel_html
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import of_language

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.panels import Panel
    from analysis.run.folder import EvaluationRun

SHOWN = 12
_LIMIT = 400  # enough of every language to fill a gallery


def _draw(panel_of: Callable[[EvaluationRun, int], Panel], request: TabRequest) -> RenderedPart:
    panel = panel_of(request.run, _LIMIT)
    table = of_language(panel.table, request.view.language)
    body = render("research/gallery", cards=[_card(request, row) for _, row in table.head(SHOWN).iterrows()])
    return RenderedPart(
        html=panel_html(panel, body if len(panel.table.columns) else ""), table=lambda: table, name=panel.id
    )


draw_helped = partial(_draw, modality.helped)
draw_hurt = partial(_draw, modality.hurt)


def _card(request: TabRequest, row: pd.Series) -> dict[str, Any]:
    answers = request.run.answers()
    place = request.row_of(int(row["sentence_id"]), answers)
    path = "" if place is None else answers.sentences["image_path"].iloc[place]
    without, beside = (number(row[column], 2) for column in ("confidence_baseline", "confidence"))
    return {
        "id": row["sentence_id"],
        "photo": request.images.image_html(request.run, path, side=320),
        "way": "helped" if row["change"] > 0 else "hurt",
        "change": number(row["change"], 2, sign=True).replace("-", "\u2212"),
        "name": row["text"],
        "type": row["type"],
        "colour": request.colours[row["type"]],
        "text": row["sentence"],
        "numbers": f"{without} without, {beside} with its image",
    }

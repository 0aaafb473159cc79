"""Galleries: the names whose picture helped or hurt the model most, each one click from the inspector."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from analysis.panels import modality
from analysis.panels.wording import number
from analysis.views.marks import escape_html
from analysis.views.research.panel_html import panel_html
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import of_language, set_attribute

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from analysis.panels import Panel
    from analysis.run.folder import EvaluationRun

SHOWN = 12
_LIMIT = 400  # enough of every language to fill a gallery
_GALLERY = '<ul class="wb-gallery">{cards}</ul>'
_CARD = """<li><button type="button" class="wb-gallery-card" {set} aria-label="{label}">{photo}
<span class="wb-gallery-change wb-{way}">{change}</span><span class="wb-gallery-name">{name}
<span class="wb-type" style="--mark:{colour};--mark-text:#000">{type}</span></span>
<span class="wb-gallery-text">{text}</span><span class="wb-gallery-numbers">{numbers}</span></button></li>"""


def _draw(panel_of: Callable[[EvaluationRun, int], Panel], request: TabRequest) -> RenderedPart:
    panel = panel_of(request.run, _LIMIT)
    table = of_language(panel.table, request.view.language)
    cards = "".join(_card(request, row) for _, row in table.head(SHOWN).iterrows())
    body = _GALLERY.format(cards=cards) if cards else '<p class="wb-total">None in this language.</p>'
    return RenderedPart(
        html=panel_html(panel, body if len(panel.table.columns) else ""), table=lambda: table, name=panel.id
    )


draw_helped = partial(_draw, modality.helped)
draw_hurt = partial(_draw, modality.hurt)


def _card(request: TabRequest, row: pd.Series) -> str:
    answers = request.run.answers()
    place = request.row_of(int(row["sentence_id"]), answers)
    path = "" if place is None else answers.sentences["image_path"].iloc[place]
    change = number(row["change"], 2, sign=True).replace("-", "\u2212")
    numbers = f"{number(row['confidence_baseline'], 2)} without, {number(row['confidence'], 2)} with its picture"
    return _CARD.format(
        set=set_attribute(row=row["sentence_id"]),
        label=escape_html(f"{row['type']} {row['text']}: {numbers}. Inspect the sentence."),
        photo=request.images.image_html(request.run, path, side=320),
        way="helped" if row["change"] > 0 else "hurt",
        change=change,
        name=escape_html(row["text"]),
        colour=request.colours[row["type"]],
        type=escape_html(row["type"]),
        text=escape_html(row["sentence"]),
        numbers=escape_html(numbers),
    )

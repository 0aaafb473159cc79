"""The confusion matrix as a table whose cells are buttons, and the sentences and photos behind a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from analysis.panels import confusion as panels
from analysis.panels.wording import counted, join_with_and, language_label
from analysis.run.spans import Spans
from analysis.scores.confusion import MISSED, SPURIOUS, Reading
from analysis.views.rendering import render, set_attribute
from analysis.views.research.choices import choices_html
from analysis.views.research.panel_html import panel_html
from analysis.views.research.sentence_html import cards, pager
from analysis.views.research.tab_request import RenderedPart, TabRequest
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.panels import Panel

PER_PAGE = 10


def draw_matrix(request: TabRequest) -> RenderedPart:
    """Return the matrix in the values that are asked for."""
    panel = _panel(request)
    body = _matrix_html(request, panel) if len(panel.table.columns) else ""
    return RenderedPart(html=panel_html(panel, body, _controls(request)), table=lambda: panel.table, name=panel.id)


def draw_cell(request: TabRequest) -> RenderedPart:
    """Return the sentences of the chosen cell, empty while none is chosen."""
    view = request.view
    if view.cell is None:
        return RenderedPart(html="")
    row, column = view.cell
    entities = cell_entities(request, row, column)
    ids = list(dict.fromkeys(entities["sentence_id"].tolist()))
    n, pages = len(ids), max(1, -(-len(ids) // PER_PAGE))
    page = min(view.listed, pages)
    chosen = ids[(page - 1) * PER_PAGE : page * PER_PAGE]
    items = [(i, _note(request, entities[entities["sentence_id"] == i])) for i in chosen]
    found = f"{counted(len(entities), 'entity', 'entities')} in {counted(n, 'sentence')}"
    title = f"{_cell_name(row, column)}: {found}"
    body = cards(request, items) + pager("the sentences of this cell", "listed", page, pages, found)
    close = set_attribute(cell=None, listed=None)
    return RenderedPart(html=render("research/listed", title=title, close=close, body=body, total=""))


def cell_entities(request: TabRequest, row: str, column: str) -> pd.DataFrame:
    """Return the entities that a cell counts, in the order of the sentences; of a difference those of both languages.

    Raises:
        InputError: if there is no such cell.
    """
    cells = panels.confusion_of(request.run, request.condition, _reading(request))
    if row not in cells.rows or column not in cells.columns:
        raise InputError(f"There is no cell {row}, {column}; rows are {join_with_and(cells.rows)}.")
    languages = _pair(request) or (request.view.language or None,)
    return pd.concat([cells.entities(row, column, language) for language in languages], ignore_index=True)


def _panel(request: TabRequest) -> Panel:
    view = request.view
    reading = _reading(request)
    if view.values in ("counts", "shares"):
        return panels.confusion(
            request.run,
            request.language,
            "counts" if view.values == "counts" else "shares",
            reading,
            request.condition,
        )
    if view.values == "runs":
        if request.other is None:
            raise InputError("Choose a run to compare with, at the top of this tab, to see the difference of two runs.")
        return panels.confusion_runs(request.run, request.other, request.language, reading)
    if pair := _pair(request):
        return panels.confusion_languages(request.run, *pair, reading, request.condition)
    raise InputError(f"The matrix cannot show {view.values!r}; choose what its cells hold above it.")


def _reading(request: TabRequest) -> Reading:
    if request.view.reading not in panels.RULES:
        raise InputError(f"There is no reading {request.view.reading!r}; there are {', '.join(panels.RULES)}.")
    return cast("Reading", request.view.reading)


def _pair(request: TabRequest) -> tuple[str, str] | None:
    """Return the two languages whose difference is shown, None where it is no difference."""
    first, dash, second = request.view.values.partition("-")
    known = set(request.answers.languages)
    return (first, second) if dash and {first, second} <= known else None


def _controls(request: TabRequest) -> Markup:
    view = request.view
    languages = sorted(set(request.answers.languages))
    values = {"counts": "Counts", "shares": "Row shares"}
    if request.other is not None:
        values["runs"] = f"{request.run.name} minus {request.other.name}"
    values |= {
        f"{a}-{b}": f"{language_label(a)} minus {language_label(b)}" for a in languages for b in languages if a != b
    }
    readings = {"overlap": "that share a word", "exact": "with the same span"}
    return choices_html(("Cells", "values", values, view.values), ("Pairs", "reading", readings, view.reading))


def _matrix_html(request: TabRequest, panel: Panel) -> Markup:
    table = panel.table.set_index("gold")
    counts = request.view.values == "counts"
    cells = table.to_numpy(dtype=float)
    totals = cells.sum(axis=1, keepdims=True)
    shades = np.divide(cells, totals, out=np.zeros_like(cells), where=totals > 0) if counts else np.nan_to_num(cells)
    types = [c for c in table.columns if c != MISSED]
    rows = [
        (
            row,
            [
                _cell(request, str(row), str(column), cells[i, j], float(shades[i, j]))
                for j, column in enumerate(table.columns)
            ],
        )
        for i, row in enumerate(table.index)
    ]
    caption = f"{panel.title}: gold types down, predicted types across ({', '.join(map(str, types))}, {MISSED})."
    return render("research/matrix", panel=panel, caption=caption, columns=table.columns, rows=rows, said=_said(panel))


def _said(panel: Panel) -> list[str]:
    """Return what the matrix shows in words, one line per type: the alternative without what kind of figure it is."""
    return [part for part in panel.alternative.partition(". ")[2].rstrip(".").split("; ") if part]


def _cell(request: TabRequest, row: str, column: str, value: float, shade: float) -> dict[str, Any]:
    """Return what a cell shows, and the cell that it opens; None where there is nothing to open."""
    if (row, column) == (SPURIOUS, MISSED) or np.isnan(value):
        return {"to_open": None, "text": "" if (row, column) == (SPURIOUS, MISSED) else "–"}
    values = request.view.values
    if values == "counts":
        text = f"{int(value):,}"
    else:
        text = f"{100 * value:.0f} %" if values == "shares" else f"{100 * value:+.0f}".replace("-", "\u2212")
    return {
        "to_open": f"{row},{column}",
        "text": text,
        "right": row == column,
        "minus": shade < 0,
        "share": f"{abs(shade):.3f}",
        "pressed": request.view.cell == (row, column),
        "label": f"{_cell_name(row, column)}: {text}. Show the sentences.",
    }


def _cell_name(row: str, column: str) -> str:
    if column == MISSED:
        return f"gold {row} missed"
    return f"{column} marked where nothing is annotated" if row == SPURIOUS else f"gold {row} marked {column}"


def _note(request: TabRequest, entities: pd.DataFrame) -> str:
    """Name the entities of one sentence that the cell counts."""
    answers = request.answers
    notes = []
    for gold, predicted in entities[["gold", "predicted"]].to_numpy(dtype=int).tolist():
        sides = (("gold", answers.gold, gold), ("predicted", answers.predicted, predicted))
        notes.append(" → ".join(_surface(spans, answers.words, row, side) for side, spans, row in sides if row >= 0))
    return "; ".join(notes)


def _surface(spans: Spans, words: np.ndarray, row: int, side: str) -> str:
    one = spans.take(np.array([row]))
    return f"{side} {one.types[one.type[0]]} “{one.texts(words)[0]}”"

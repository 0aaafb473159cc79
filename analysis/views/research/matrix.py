"""The confusion matrix as a table whose cells are buttons, and the sentences and photos behind a cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import numpy as np
import pandas as pd

from analysis.panels import confusion as panels
from analysis.panels.wording import counted, language_name, listed
from analysis.run.spans import Spans
from analysis.scores.confusion import MISSED, SPURIOUS, Reading
from analysis.views.marks import escape_html
from analysis.views.research.panel_html import panel_html
from analysis.views.research.sentence_html import cards, pager
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import set_attribute
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.panels import Panel

PER_PAGE = 10
_TABLE = """<div class="wb-scroll" tabindex="0" role="region" aria-label="{title}"><table class="wb-matrix">
<caption class="wb-unseen">{caption}</caption><thead><tr><th scope="col" class="wb-corner">gold \\ predicted</th>{head}
</tr></thead><tbody>{body}</tbody></table></div>"""
_CELL = """<td><button type="button" class="wb-cell{kind}" style="--share:{share}" aria-pressed="{pressed}"
aria-label="{label}" {set}>{text}</button></td>"""
_NONE = '<td><span class="wb-cell wb-cell-none" aria-hidden="true">{}</span></td>'
_MATRIX = '<div class="wb-confusion">{matrix}<ul>{said}</ul></div>'
_LIST = """<section class="wb-list" aria-label="{title}"><header class="wb-panel-head"><h4>{title}</h4>
<button type="button" class="wb-quiet" {close}>Close</button></header>{body}</section>"""
_SELECT = '<label class="wb-choice">{label}<select data-state="{name}">{options}</select></label>'


def draw_matrix(request: TabRequest) -> RenderedPart:
    """Return the matrix in the values that are asked for."""
    panel = _panel(request)
    body = _MATRIX.format(matrix=_matrix_html(request, panel), said=_said(panel)) if len(panel.table.columns) else ""
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
    return RenderedPart(
        html=_LIST.format(title=escape_html(title), close=set_attribute(cell=None, listed=None), body=body)
    )


def cell_entities(request: TabRequest, row: str, column: str) -> pd.DataFrame:
    """Return the entities that a cell counts, in the order of the sentences; of a difference those of both languages.

    Raises:
        InputError: if there is no such cell.
    """
    cells = panels.confusion_of(request.run, request.condition, _reading(request))
    if row not in cells.rows or column not in cells.columns:
        raise InputError(f"There is no cell {row}, {column}; rows are {listed(cells.rows)}.")
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


def _controls(request: TabRequest) -> str:
    view = request.view
    languages = sorted(set(request.answers.languages))
    values = {"counts": "Counts", "shares": "Row shares"}
    if request.other is not None:
        values["runs"] = f"{request.run.name} minus {request.other.name}"
    values |= {
        f"{a}-{b}": f"{language_name(a)} minus {language_name(b)}" for a in languages for b in languages if a != b
    }
    readings = {"overlap": "that share a word", "exact": "with the same span"}
    return (
        '<div class="wb-choices">'
        + select_html("Cells", "values", values, view.values)
        + select_html("Pairs", "reading", readings, view.reading)
        + "</div>"
    )


def select_html(label: str, name: str, choices: dict[str, str], chosen: str) -> str:
    """Return a drop-down that sets one parameter of the address."""
    options = "".join(
        f'<option value="{escape_html(value)}"{" selected" if value == chosen else ""}>{escape_html(text)}</option>'
        for value, text in choices.items()
    )
    return _SELECT.format(label=escape_html(label), name=name, options=options)


def _matrix_html(request: TabRequest, panel: Panel) -> str:
    table = panel.table.set_index("gold")
    counts = request.view.values == "counts"
    cells = table.to_numpy(dtype=float)
    totals = cells.sum(axis=1, keepdims=True)
    shades = np.divide(cells, totals, out=np.zeros_like(cells), where=totals > 0) if counts else np.nan_to_num(cells)
    types = [c for c in table.columns if c != MISSED]
    head = "".join(f'<th scope="col">{escape_html(str(column))}</th>' for column in table.columns)
    body = []
    for i, row in enumerate(table.index):
        shown_cells = (
            _cell_html(request, str(row), str(column), cells[i, j], float(shades[i, j]))
            for j, column in enumerate(table.columns)
        )
        body.append(f'<tr><th scope="row">{escape_html(str(row))}</th>{"".join(shown_cells)}</tr>')
    caption = f"{panel.title}: gold types down, predicted types across ({', '.join(map(str, types))}, {MISSED})."
    return _TABLE.format(title=escape_html(panel.title), caption=escape_html(caption), head=head, body="".join(body))


def _said(panel: Panel) -> str:
    """Return what the matrix shows in words, one line per type: the alternative without what kind of figure it is."""
    sentences = panel.alternative.partition(". ")[2].rstrip(".").split("; ")
    return "".join(f"<li>{escape_html(sentence)}</li>" for sentence in sentences if sentence)


def _cell_html(request: TabRequest, row: str, column: str, value: float, shade: float) -> str:
    if row == SPURIOUS and column == MISSED:
        return _NONE.format("")
    if np.isnan(value):
        return _NONE.format("–")
    values = request.view.values
    if values == "counts":
        text = f"{int(value):,}"
    else:
        text = f"{100 * value:.0f} %" if values == "shares" else f"{100 * value:+.0f}".replace("-", "\u2212")
    kind = " wb-cell-right" if row == column else ""
    kind += " wb-cell-minus" if shade < 0 else ""
    return _CELL.format(
        kind=kind,
        share=f"{abs(shade):.3f}",
        pressed=str(request.view.cell == (row, column)).lower(),
        label=escape_html(f"{_cell_name(row, column)}: {text}. Show the sentences."),
        set=set_attribute(cell=f"{row},{column}", listed=None),
        text=text,
    )


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

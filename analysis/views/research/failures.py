"""The failure table: filtered, sorted and paged on the server; gold and prediction of each error in one row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.panels.display import MISSING
from analysis.panels.errors import failure_summary, failures_of
from analysis.panels.wording import counted
from analysis.run.wording import NOTHING, SEPARATOR
from analysis.scores.query import OPERATORS, Filter, Page, query, select
from analysis.views.marks import escape_html
from analysis.views.research.matrix import select_html
from analysis.views.research.panel_html import panel_html
from analysis.views.research.sentence_html import pager, two_lines
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import set_attribute
from analysis.views.research.view import written_filters

if TYPE_CHECKING:
    from collections.abc import Sequence

    from analysis.views.research.view import View

PAGE_SIZE = 20
_MAX_SUGGESTIONS = 40
_HOW = (
    "One row per error, a click opens it; p is the exact probability that the model gives its own and the annotated "
    "entity, and “without the image” is what it marks there when it sees no photo."
)
# Column, heading, whether it holds a number; the sentence itself and its photo stand before them.
_SHOWN = (
    ("error", "class"), ("span_probability", "span p"), ("gold_probability", "gold p"), ("loss", "loss"),
    ("image_text_cosine", "cosine"), ("attention_entropy", "attn. entropy"), ("without_image", "without the image"),
    ("seen", "in training"), ("language", "language"),
)  # fmt: skip
_TABLE = """<div class="wb-scroll wb-long wb-tall" tabindex="0" role="region" aria-label="Failure table">
<table class="wb-grid wb-failures"><thead><tr><th scope="col">photo</th><th scope="col">gold over prediction</th>{head}
</tr></thead><tbody>{body}</tbody></table></div>"""
_HEADING = """<th scope="col"{classes} aria-sort="{order}"><button type="button" class="wb-sort" {set}>{name}
<span aria-hidden="true">{arrow}</span></button></th>"""
_ROW = """<tr class="wb-failure" {set}><td><button type="button" class="wb-item-photo" {set}
aria-label="Inspect sentence {id}">{photo}</button></td>
<td class="wb-lines-cell"><button type="button" class="wb-error" {set}>{error}</button>{lines}</td>{cells}</tr>"""
_FORM = """<form class="wb-filter" data-append="filters" data-filters="{filters}"><label class="wb-choice">Column
<select name="column">{columns}</select></label><label class="wb-choice">Condition<select name="operator">{operators}
</select></label><label class="wb-choice">Value<input name="value" list="wb-suggest" autocomplete="off"></label>
<button type="submit">Add filter</button>{lists}{sort}</form>"""
_CHIP = """<li><button type="button" class="wb-chip" {set} aria-label="Remove the filter {text}">{text}
<span aria-hidden="true">×</span></button></li>"""


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """The failure table with the filters and the order that are asked for."""

    table: pd.DataFrame
    filters: tuple[Filter, ...]
    sort: tuple[tuple[str, bool], ...]

    @classmethod
    def of(cls, request: TabRequest) -> Found:
        """Read filters and order from the request; the language of the tab is one more filter."""
        view = request.view
        filters = view.filters + (
            (Filter(column="language", operator="is", value=view.language),) if view.language else ()
        )
        name = view.sort.removeprefix("-")
        return cls(
            failures_of(request.run, request.condition),
            filters,
            ((name, not view.sort.startswith("-")),) if name else (),
        )

    def page(self, number: int) -> Page:
        """Return one page of it."""
        return query(self.table, self.filters, self.sort, number, PAGE_SIZE)

    def rows(self) -> pd.DataFrame:
        """Return all of it, to be downloaded."""
        return self.table.iloc[select(self.table, self.filters, self.sort)].reset_index(drop=True)


def draw_failures(request: TabRequest) -> RenderedPart:
    """Return one page of the failure table."""
    found = Found.of(request)
    page = found.page(request.view.page)
    total = f"{counted(page.total, 'error')}" + (f" of {len(found.table):,}" if page.total < len(found.table) else "")
    turning = pager("the failure table", "page", page.number, page.pages, total)
    body = (
        _chips(request.view.filters)
        + _form(found.table, request.view)
        + f'<p class="wb-total" role="status">{escape_html(total)}</p>'
        + (_table_html(request, page) if page.total else '<p class="wb-total">No error passes these filters.</p>')
        + turning
    )
    panel = replace(failure_summary(request.run, request.condition), title="Failure table", how_to_read=_HOW)
    known = len(found.table) > 0
    html = panel_html(panel, body if known else "", downloads=("csv", "parquet") if known else ())
    return RenderedPart(html=html, table=found.rows, name=f"failures-{request.condition}")


def _table_html(request: TabRequest, page: Page) -> str:
    numeric = [is_numeric_dtype(page.rows[column]) for column, _ in _SHOWN]
    head = "".join(_heading(request, *names, number) for names, number in zip(_SHOWN, numeric, strict=True))
    body = []
    for _, row in page.rows.iterrows():
        cells = "".join(
            f'<td{" class=wb-number" if number else ""} data-label="{name}">{_written(row, column)}</td>'
            for (column, name), number in zip(_SHOWN, numeric, strict=True)
        )
        body.append(
            _ROW.format(
                set=set_attribute(row=row["sentence_id"]),
                id=row["sentence_id"],
                error=escape_html(_error(row)),
                photo=request.images.image_html(request.run, row["image_path"]),
                lines=two_lines(request.answers, int(row["sentence"]), request.colours, sure=False),
                cells=cells,
            )
        )
    return _TABLE.format(head=head, body="".join(body))


def _heading(request: TabRequest, column: str, name: str, numeric: bool) -> str:
    sort = request.view.sort
    order = {column: "ascending", f"-{column}": "descending"}.get(sort, "none")
    # Numbers are asked for from the greatest down, words from A on; the next click turns the order round.
    turned = f"-{column}" if order == "ascending" or (order == "none" and numeric) else column
    return _HEADING.format(
        classes=' class="wb-number"' if numeric else "",
        order=order,
        set=set_attribute(sort=turned, page=None),
        name=escape_html(name),
        arrow={"ascending": "▲", "descending": "▼", "none": ""}[order],
    )


def _error(row: pd.Series) -> str:
    """Write the entities of an error: what is annotated, what is predicted."""
    sides = [
        " + ".join(f"{t} {text}" for t, text in zip(types.split(SEPARATOR), texts.split(SEPARATOR), strict=False))
        for types, texts in ((str(row[f"{side}_type"]), row[f"{side}_text"]) for side in ("gold", "predicted"))
    ]
    return " → ".join(side.strip() or NOTHING for side in sides)


def _written(row: pd.Series, column: str) -> str:
    value = row[column]
    if pd.isna(value):
        return MISSING
    if isinstance(value, float):
        return f"{value:.2f}".replace("-", "\u2212")
    detail = row["detail"] if column == "error" else ""
    return escape_html(str(value)) + (f'<span class="wb-detail">{escape_html(detail)}</span>' if detail else "")


def _chips(filters: Sequence[Filter]) -> str:
    chips = []
    for place, one in enumerate(filters):
        rest = written_filters((*filters[:place], *filters[place + 1 :]))
        text = " ".join(filter(None, [one.column.replace("_", " "), one.operator, str(one.value or "")]))
        chips.append(_CHIP.format(set=set_attribute(filters=rest, page=None), text=escape_html(text)))
    return f'<ul class="wb-chips" aria-label="Filters">{"".join(chips)}</ul>' if chips else ""


def _form(table: pd.DataFrame, view: View) -> str:
    columns = "".join(
        f'<option value="{c}"{" selected" if c == "error" else ""}>{c.replace("_", " ")}</option>'
        for c in _askable(table)
    )
    operators = "".join(f"<option>{operator}</option>" for operator in OPERATORS)
    lists = []
    for name in table.columns:
        values: list[object] = []
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            values = table[name].cat.categories.tolist()
        elif name in ("without_image", "seen"):
            values = table[name].dropna().unique().tolist()
        options = "".join(f'<option value="{escape_html(str(value))}">' for value in values[:_MAX_SUGGESTIONS])
        if options:
            lists.append(f'<datalist id="wb-suggest-{name}">{options}</datalist>')
    return _FORM.format(
        filters=escape_html(written_filters(view.filters)),
        columns=columns,
        operators=operators,
        lists="".join(lists),
        sort=select_html("Sort by", "sort", _orders(table), view.sort),
    )


def _orders(table: pd.DataFrame) -> dict[str, str]:
    """Return what the rows may be sorted by, any column up or down, as the address has it."""
    orders = {"": "place in the text"}
    for name in _askable(table):
        down, up = ("highest first", "lowest first") if is_numeric_dtype(table[name]) else ("Z to A", "A to Z")
        words = name.replace("_", " ")
        orders |= {f"-{name}": f"{words}, {down}", name: f"{words}, {up}"}
    return orders


def _askable(table: pd.DataFrame) -> list[str]:
    """Return the columns to filter and sort by: all but the row number, which means nothing to a reader."""
    return [name for name in table.columns if name != "sentence"]

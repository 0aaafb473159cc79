"""The failure table: filtered, sorted and paged on the server; gold and prediction of each error in one row."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.panels.display import MISSING
from analysis.panels.errors import failure_summary, failures_of
from analysis.panels.wording import counted
from analysis.run.wording import NOTHING, SEPARATOR
from analysis.scores.kept_slices import filter_words
from analysis.scores.query import OPERATORS, Filter, Page, query, select
from analysis.views.rendering import render
from analysis.views.research.panel_html import panel_html
from analysis.views.research.sentence_html import pager, two_lines
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.view import written_filters

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

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
    body = render(
        "research/failures",
        chips=list(_chips(request.view.filters)),
        filters=written_filters(request.view.filters),
        columns=_askable(found.table),
        operators=OPERATORS,
        suggestions=dict(_suggestions(found.table)),
        orders=_orders(found.table),
        sort=request.view.sort,
        total=total,
        headings=[_heading(request, *names, is_numeric_dtype(page.rows[names[0]])) for names in _SHOWN],
        rows=[_row(request, row) for _, row in page.rows.iterrows()],
        pager=turning,
    )
    panel = replace(failure_summary(request.run, request.condition), title="Failure table", how_to_read=_HOW)
    known = len(found.table) > 0
    html = panel_html(panel, body if known else "", downloads=("csv", "parquet") if known else ())
    return RenderedPart(html=html, table=found.rows, name=f"failures-{request.condition}")


def _row(request: TabRequest, row: pd.Series) -> dict[str, Any]:
    return {
        "id": row["sentence_id"],
        "photo": request.images.image_html(request.run, row["image_path"]),
        "lines": two_lines(request.answers, int(row["sentence"]), request.colours, sure=False),
        "error": _error(row),
        "cells": [_written(row[column]) for column, _ in _SHOWN],
        "detail": row["detail"],
    }


def _heading(request: TabRequest, column: str, name: str, numeric: bool) -> dict[str, Any]:
    sort = request.view.sort
    order = {column: "ascending", f"-{column}": "descending"}.get(sort, "none")
    # Numbers are asked for from the greatest down, words from A on; the next click turns the order round.
    turned = f"-{column}" if order == "ascending" or (order == "none" and numeric) else column
    arrow = {"ascending": "▲", "descending": "▼", "none": ""}[order]
    return {"numeric": numeric, "order": order, "turned": turned, "name": name, "arrow": arrow}


def _error(row: pd.Series) -> str:
    """Write the entities of an error: what is annotated, what is predicted."""
    sides = [
        " + ".join(f"{t} {text}" for t, text in zip(types.split(SEPARATOR), texts.split(SEPARATOR), strict=False))
        for types, texts in ((str(row[f"{side}_type"]), row[f"{side}_text"]) for side in ("gold", "predicted"))
    ]
    return " → ".join(side.strip() or NOTHING for side in sides)


def _written(value: Any) -> str:
    if pd.isna(value):
        return MISSING
    return f"{value:.2f}".replace("-", "\u2212") if isinstance(value, float) else str(value)


def _chips(filters: Sequence[Filter]) -> Iterator[dict[str, str]]:
    """Yield each filter in words, and the filters that are left without it."""
    for place, one in enumerate(filters):
        yield {"text": filter_words(one), "rest": written_filters((*filters[:place], *filters[place + 1 :]))}


def _suggestions(table: pd.DataFrame) -> Iterator[tuple[str, list[str]]]:
    """Yield the columns of few values, and these."""
    for name in table.columns:
        values: list[object] = []
        if isinstance(table[name].dtype, pd.CategoricalDtype):
            values = table[name].cat.categories.tolist()
        elif name in ("without_image", "seen"):
            values = table[name].dropna().unique().tolist()
        if values:
            yield name, [str(value) for value in values[:_MAX_SUGGESTIONS]]


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

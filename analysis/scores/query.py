"""Filters, sorts and pages a table on the server, so that 50,000 rows feel like fifty."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import pandas as pd
from pandas.api.types import is_numeric_dtype

from mmner_core.errors import InputError

Operator = Literal["is", "is not", "one of", "contains", "at least", "at most", "is missing", "is known"]
OPERATORS: tuple[Operator, ...] = (
    "is",
    "is not",
    "one of",
    "contains",
    "at least",
    "at most",
    "is missing",
    "is known",
)
MAX_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """One condition on one column; several are joined by "and".

    Attributes:
        column: name of the column.
        operator: "is", "is not" and "one of" compare values ("one of" takes a list); "contains" looks for a text,
            ignoring letter case, no pattern; "at least" and "at most" compare numbers; "is missing" and "is known"
            take no value. A missing cell satisfies "is not" and "is missing" only.
        value: what to compare with.
    """

    column: str
    operator: Operator
    value: Any = None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Page:
    """A page of a filtered and sorted table.

    Attributes:
        rows: the page; its index holds the row numbers in the whole table.
        total: rows that pass the filters.
        number: this page, from 1.
        pages: how many there are, at least 1.
    """

    rows: pd.DataFrame
    total: int
    number: int
    pages: int


def query(
    table: pd.DataFrame,
    filters: Sequence[Filter] = (),
    sort: Sequence[tuple[str, bool]] = (),
    page: int = 1,
    page_size: int = 50,
) -> Page:
    """Return one page.

    Args:
        table: with the default index.
        filters: all must hold.
        sort: (column, ascending), most important first; equal rows keep the table's order, missing cells come last.
        page: from 1; a page after the last is the last.
        page_size: rows per page, 1 to 1,000.

    Raises:
        InputError: if a column or operator does not exist, a value does not fit its column, or the page is below 1.
    """
    if page < 1 or not 1 <= page_size <= MAX_PAGE_SIZE:
        raise InputError(f"Page {page} of {page_size} rows: pages start at 1 and hold 1 to {MAX_PAGE_SIZE} rows.")
    chosen = select(table, filters, sort)
    pages = max(1, -(-len(chosen) // page_size))
    number = min(page, pages)
    rows = table.iloc[chosen[(number - 1) * page_size : number * page_size]]
    return Page(rows=rows, total=len(chosen), number=number, pages=pages)


def select(table: pd.DataFrame, filters: Sequence[Filter] = (), sort: Sequence[tuple[str, bool]] = ()) -> pd.Index:
    """Return the row numbers that pass the filters, sorted; ``table.iloc`` of them is what to download.

    Raises:
        InputError: as :func:`query`.
    """
    keep = pd.Series(True, index=table.index)
    for condition in filters:
        keep &= _holds(_column(table, condition.column), condition)
    rows = pd.RangeIndex(len(table))[keep.to_numpy()]
    if sort:
        keys = pd.DataFrame({i: _sortable(_column(table, name)).iloc[rows] for i, (name, _) in enumerate(sort)})
        keys.index = rows
        order = keys.sort_values(
            list(keys.columns), ascending=[up for _, up in sort], kind="stable", na_position="last"
        )
        rows = order.index
    return rows


def _column(table: pd.DataFrame, name: str) -> pd.Series:
    if name not in table.columns:
        raise InputError(f"There is no column {name!r}; there are {', '.join(table.columns)}.")
    return table[name]


def _holds(column: pd.Series, condition: Filter) -> pd.Series:
    operator, value = condition.operator, condition.value
    if operator not in OPERATORS:
        raise InputError(f"There is no operator {operator!r}; there are {', '.join(OPERATORS)}.")
    if operator == "is missing":
        return column.isna()
    if operator == "is known":
        return column.notna()
    if operator in ("at least", "at most"):
        number = _number(column, value)
        holds = column >= number if operator == "at least" else column <= number
        return holds.fillna(False).astype(bool)
    if operator == "contains":
        if is_numeric_dtype(column):
            raise InputError(f"Column {column.name!r} holds numbers; use 'at least' or 'at most'.")
        return column.astype("str").str.contains(str(value), case=False, regex=False).fillna(False) & column.notna()
    if operator == "one of":
        values = value if isinstance(value, (list, tuple, set, frozenset)) else [value]
        return column.isin([_like(column, v) for v in values]) & column.notna()
    same = (column == _like(column, value)).fillna(False).astype(bool)
    return same if operator == "is" else ~same


def _like(column: pd.Series, value: Any) -> Any:
    """Convert a value to the column's type, since text from a form may mean a number."""
    return _number(column, value) if is_numeric_dtype(column) else str(value)


def _number(column: pd.Series, value: Any) -> float:
    if not is_numeric_dtype(column):
        raise InputError(f"Column {column.name!r} holds text; use 'is', 'one of' or 'contains'.")
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise InputError(f"Column {column.name!r} holds numbers; {value!r} is none.") from error
    if number != number:
        raise InputError(f"Column {column.name!r}: compare with a number, or ask for 'is missing'.")
    return number


def _sortable(column: pd.Series) -> pd.Series:
    """Sort categories by name, as the user reads them; texts through their codes, which is faster than by text."""
    if isinstance(column.dtype, pd.CategoricalDtype) and not column.cat.ordered:
        return column.cat.reorder_categories(sorted(column.cat.categories), ordered=True)
    return column

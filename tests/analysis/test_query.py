"""Filter, sort and page: what comes back is what was asked for, and nonsense is named."""

import numpy as np
import pandas as pd
import pytest

from analysis.scores.query import Filter, query, select
from tests.told import refused

KINDS = ["wrong type", "spurious", "missed"]
TABLE = pd.DataFrame(
    {
        "text": pd.Series(["Ada in Rome", "bob", "C++ (x)", None], dtype="str"),
        "p": [0.9, 0.2, np.nan, 0.5],
        "start": pd.Series([1, 2, None, 1], dtype="Int32"),
        "error": pd.Categorical(
            ["missed", "spurious", "missed", "wrong type"], categories=["wrong type", "spurious", "missed"]
        ),
    }
)

FILTERS = {
    ("error", "is", "missed"): [0, 2],
    ("error", "is not", "missed"): [1, 3],
    ("error", "one of", ("missed", "spurious")): [0, 1, 2],
    ("text", "contains", "ROME"): [0],
    ("text", "contains", "C++ ("): [2],
    ("text", "is", "bob"): [1],
    ("text", "is missing", None): [3],
    ("text", "is known", None): [0, 1, 2],
    ("p", "at least", 0.5): [0, 3],
    ("p", "at most", "0.5"): [1, 3],
    ("p", "is missing", None): [2],
    ("p", "is not", 0.2): [0, 2, 3],
    ("start", "is", "1"): [0, 3],
    ("start", "at least", 2): [1],
    ("start", "one of", (2, 7)): [1],
}


@pytest.mark.parametrize(("condition", "rows"), FILTERS.items())
def test_each_operator(condition: tuple, rows: list[int]) -> None:
    """Texts, categories, numbers, whole numbers with gaps; missing cells only where the rule says."""
    column, operator, value = condition
    assert list(select(TABLE, [Filter(column=column, operator=operator, value=value)])) == rows


def test_filters_are_joined_by_and() -> None:
    """Both must hold."""
    filters = [Filter(column="error", operator="is", value="missed"), Filter(column="p", operator="at least", value=0)]
    assert list(select(TABLE, filters)) == [0]


def test_sorting_keeps_ties_in_order_and_missing_last() -> None:
    """Up, down, by category name, by two columns."""
    assert list(select(TABLE, sort=[("p", True)])) == [1, 3, 0, 2]
    assert list(select(TABLE, sort=[("p", False)])) == [0, 3, 1, 2]
    assert list(select(TABLE, sort=[("error", True)])) == [0, 2, 1, 3]
    assert list(select(TABLE, sort=[("start", True), ("p", True)])) == [3, 0, 1, 2]
    assert list(select(TABLE, sort=[("text", False)])) == [1, 2, 0, 3]


def test_pages_cover_the_table_once() -> None:
    """All pages together are the whole; the last is short; a page beyond it is the last."""
    pages = [query(TABLE, page=i, page_size=3) for i in (1, 2)]
    assert [list(p.rows.index) for p in pages] == [[0, 1, 2], [3]]
    assert [(p.total, p.pages, p.number) for p in pages] == [(4, 2, 1), (4, 2, 2)]
    assert query(TABLE, page=9, page_size=3).number == 2


def test_nothing_found_is_one_empty_page() -> None:
    """No row, page 1 of 1, on a filtered and on an empty table."""
    page = query(TABLE, [Filter(column="text", operator="contains", value="zzz")], [("p", True)])
    assert (len(page.rows), page.total, page.number, page.pages) == (0, 0, 1, 1)
    assert query(TABLE.iloc[:0], sort=[("p", True)]).total == 0


WRONG = {
    ("'q'", "text, p, start, error"): Filter(column="q", operator="is", value=1),
    ("operator", "'like'"): Filter(column="text", operator="like", value=1),
    ("'text'", "holds text"): Filter(column="text", operator="at least", value=1),
    ("'p'", "numbers", "'high'"): Filter(column="p", operator="at least", value="high"),
    ("'p'", "numbers", "use"): Filter(column="p", operator="contains", value="0"),
    ("number", "'is missing'"): Filter(column="p", operator="is", value="nan"),
}


@pytest.mark.parametrize(("named", "condition"), WRONG.items())
def test_nonsense_is_named(named: tuple[str, ...], condition: Filter) -> None:
    """One sentence with the way out."""
    with refused(*named):
        select(TABLE, [condition])


def test_impossible_pages_are_refused() -> None:
    """Page 0, and pages without or with too many rows."""
    for page, size in ((0, 10), (1, 0), (1, 100_000)):
        with refused("pages", "1", "1000"):
            query(TABLE, page=page, page_size=size)

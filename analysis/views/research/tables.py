"""Tables as HTML with a header that stays, and as files to download."""

from __future__ import annotations

import base64
import io
from typing import Any

import pandas as pd
from pandas.api.types import is_numeric_dtype

from analysis.panels.display import shown_table
from analysis.views.marks import shown

# Spreadsheets run a cell that begins with one of these as a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_TABLE = """<div class="wb-scroll wb-long" tabindex="0" role="region" aria-label="{label}">
<table class="wb-grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"""
MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def table_html(table: pd.DataFrame, label: str) -> str:
    """Return a table; numbers are rounded and flush right, bounds of an interval share a cell."""
    written = shown_table(table)
    classes = [' class="wb-number"' if numeric else "" for numeric in written.numeric]
    head = "".join(f'<th scope="col"{c}>{shown(h)}</th>' for h, c in zip(written.headings, classes, strict=True))
    rows = ("".join(f"<td{c}>{shown(cell)}</td>" for cell, c in zip(row, classes, strict=True)) for row in written.rows)
    return _TABLE.format(label=shown(label), head=head, body="".join(f"<tr>{row}</tr>" for row in rows))


def of_language(table: pd.DataFrame, language: str) -> pd.DataFrame:
    """Keep the rows of one language where a table tells languages apart; "" keeps all."""
    if not language or "language" not in table.columns:
        return table
    return table[table["language"].astype("str") == language]


def csv_text(table: pd.DataFrame) -> str:
    """Write a table as CSV in which no text is taken for a formula: such a cell gets an apostrophe in front."""
    safe = table.copy()
    for name in safe.columns:
        if not is_numeric_dtype(safe[name]):
            text = safe[name].astype("object")
            safe[name] = text.map(
                lambda cell: f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
            )
    return safe.to_csv(index=False)


def table_file(table: pd.DataFrame, name: str, kind: str) -> dict[str, str]:
    """Return a table as a file for the page to save: name, kind, content in base64.

    Args:
        table: whole.
        name: of the file, without ending.
        kind: "csv" or "parquet".
    """
    if kind == "parquet":
        buffer = io.BytesIO()
        table.to_parquet(buffer, index=False)
        content = buffer.getvalue()
    else:
        content = csv_text(table).encode("utf-8", "replace")
    return {"name": f"{name}.{kind}", "mime": MIME[kind], "data": base64.b64encode(content).decode("ascii")}


def set_attribute(**change: Any) -> str:
    """Return the attribute that makes a button change the page's state; None and "" reset a field."""
    import json

    texts = {name: "" if value is None else str(value) for name, value in change.items()}
    return f'data-set="{shown(json.dumps(texts))}"'

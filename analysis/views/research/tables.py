"""Tables as HTML with a header that stays, and as files to download."""

from __future__ import annotations

import base64
import io
from typing import Any

import pandas as pd

from analysis.panels.display import heading_of, shown_table
from analysis.run.csv_text import csv_text
from analysis.views.marks import escape_html

_TABLE = """<div class="wb-scroll wb-long" tabindex="0" role="region" aria-label="{label}">
<table class="wb-grid"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"""
_INSPECT = '<button type="button" class="wb-quiet" {set} aria-label="Inspect sentence {id}">{text}</button>'
FIGURE = "figure"  # asked for to download what a figure shows beyond its table, as CSV
MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def table_html(table: pd.DataFrame, label: str) -> str:
    """Return a table; numbers are rounded and flush right, bounds of an interval share a cell.

    The numbers of a column ``sentence_id`` are buttons that open the inspector.
    """
    written = shown_table(table)
    looks = zip(written.numeric, written.wide, strict=True)
    classes = [' class="wb-number"' if numeric else ' class="wb-wide"' if wide else "" for numeric, wide in looks]
    head = "".join(f'<th scope="col"{c}>{escape_html(h)}</th>' for h, c in zip(written.headings, classes, strict=True))
    cells = [[escape_html(cell) for cell in row] for row in written.rows]
    if "sentence_id" in table.columns:
        place = written.headings.index(heading_of("sentence_id"))
        for row, sentence in zip(cells, table["sentence_id"].tolist(), strict=True):
            row[place] = _INSPECT.format(set=set_attribute(row=sentence), id=sentence, text=row[place])
    rows = ("".join(f"<td{c}>{cell}</td>" for cell, c in zip(row, classes, strict=True)) for row in cells)
    return _TABLE.format(label=escape_html(label), head=head, body="".join(f"<tr>{row}</tr>" for row in rows))


def of_language(table: pd.DataFrame, language: str) -> pd.DataFrame:
    """Keep the rows of one language where a table tells languages apart; "" keeps all."""
    if not language or "language" not in table.columns:
        return table
    return table[table["language"].astype("str") == language]


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
    return f'data-set="{escape_html(json.dumps(texts))}"'

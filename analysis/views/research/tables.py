"""Tables as HTML with a header that stays, and as files to download."""

from __future__ import annotations

import base64
import io
from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.display import heading_of, shown_table
from analysis.run.csv_text import csv_text
from analysis.views.rendering import render

if TYPE_CHECKING:
    from markupsafe import Markup

FIGURE = "figure"  # asked for to download what a figure shows beyond its table, as CSV
MIME = {"csv": "text/csv", "parquet": "application/vnd.apache.parquet"}


def table_html(table: pd.DataFrame, label: str) -> Markup:
    """Return a table; numbers are rounded and flush right, bounds of an interval share a cell.

    The numbers of a column ``sentence_id`` are buttons that open the inspector.
    """
    written = shown_table(table)
    looks = zip(written.numeric, written.wide, strict=True)
    classes = ["wb-number" if numeric else "wb-wide" if wide else "" for numeric, wide in looks]
    has_ids = "sentence_id" in table.columns and len(table) > 0
    sentences = table["sentence_id"].tolist() if has_ids else [None] * len(written.rows)
    return render(
        "research/table",
        label=label,
        headings=written.headings,
        classes=classes,
        rows=list(zip(written.rows, sentences, strict=True)),
        inspected=written.headings.index(heading_of("sentence_id")) if has_ids else None,
    )


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

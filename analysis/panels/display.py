"""Formats tables for people: headings in words, numbers rounded, intervals in one cell.

Tables stay as they are for CSV; this is for the page, the report and LaTeX.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
from pandas.api.types import is_bool_dtype, is_float_dtype, is_numeric_dtype

MISSING = "–"
DIGITS = 3
_WIDE = 32
_HEADINGS = {
    "f1": "F1",
    "about_f1": "about F1",
    "f1_a": "F1 of this run",
    "f1_b": "F1 of the other",
    "f1_baseline": "F1 text only",
    "f1_clean": "F1 as it is",
    "n_changed": "sentences changed",
    "n_sentences": "sentences",
    "n_gold": "gold",
    "n_predicted": "predicted",
    "n_correct": "correct",
    "n_groups": "groups",
    "n_pairs": "pairs",
    "n_leaked": "in training",
    "ece_before": "ECE before",
    "ece_after": "ECE after",
    "nll_before": "NLL before",
    "nll_after": "NLL after",
    "kind": "class",
    "share_above": "resamples above",
    "confidence_baseline": "text only",
    "confidence": "probability",
    "k": "k",
    "gold_line": "gold",
    "predicted_line": "predicted",
    "where": "place",
    "sentence_id": "sentence",
}
# Counts that are missing in some rows, and so are floats to pandas.
_COUNTS = ("gallery",)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownTable:
    """A table as text.

    Attributes:
        headings: of the columns.
        numeric: which of them hold numbers, to be set flush right.
        wide: which of them hold long texts, to be set as paragraphs.
        rows: the cells.
    """

    headings: tuple[str, ...]
    numeric: tuple[bool, ...]
    wide: tuple[bool, ...]
    rows: tuple[tuple[str, ...], ...]


def shown_table(table: pd.DataFrame) -> ShownTable:
    """Write a table as text; ``low`` and ``high`` become one column, columns without any content are left out."""
    columns = [_shown_column(table, name) for name in table.columns if _is_shown(table, name)]
    rows = list(zip(*(cells for _, _, cells in columns), strict=True)) if columns else []
    return ShownTable(
        headings=tuple(heading for heading, _, _ in columns),
        numeric=tuple(numeric for _, numeric, _ in columns),
        wide=tuple(not numeric and max(map(len, cells), default=0) > _WIDE for _, numeric, cells in columns),
        rows=tuple(rows),
    )


def heading_of(name: str) -> str:
    """Return what a column is called on the page."""
    return _HEADINGS.get(name, name.replace("_", " "))


def _is_shown(table: pd.DataFrame, name: str) -> bool:
    if _is_high(table, name):
        return False
    column = table[name]
    return is_numeric_dtype(column) or bool(((column.notna()) & (column.astype("str") != "")).any())


def _is_high(table: pd.DataFrame, name: str) -> bool:
    return name.endswith("high") and f"{name[:-4]}low" in table.columns


def _shown_column(table: pd.DataFrame, name: str) -> tuple[str, bool, list[str]]:
    if name.endswith("low") and f"{name[:-3]}high" in table.columns:
        pairs = zip(table[name], table[f"{name[:-3]}high"], strict=True)
        return "95 % interval", True, [_interval(low, high) for low, high in pairs]
    column = table[name]
    numeric = is_numeric_dtype(column) and not is_bool_dtype(column)
    heading = heading_of(name)
    if name in _COUNTS:
        return heading, True, [MISSING if pd.isna(value) else f"{value:,.0f}" for value in column]
    if is_float_dtype(column):
        return heading, True, [_number(value) for value in column]
    if numeric:
        return heading, True, [f"{value:,}" if pd.notna(value) else MISSING for value in column]
    return heading, False, [str(value) if pd.notna(value) else MISSING for value in column]


def _interval(low: float, high: float) -> str:
    return MISSING if pd.isna(low) or pd.isna(high) else f"{_number(low)} to {_number(high)}"


def _number(value: float) -> str:
    """Write a float; a minus sign is a minus sign, not a hyphen that a line may break at."""
    return MISSING if pd.isna(value) else f"{value:.{DIGITS}f}".replace("-", "\u2212")

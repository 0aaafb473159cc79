"""Tables as CSV that a spreadsheet opens as text and numbers, never as a formula."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pandas.api.types import is_numeric_dtype

if TYPE_CHECKING:
    import pandas as pd

# Spreadsheets run a cell that begins with one of these as a formula; the last four do so in East Asian settings.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def csv_text(table: pd.DataFrame) -> str:
    """Write a table as CSV: a header, all digits, missing cells empty.

    A text that would be taken for a formula gets an apostrophe in front, which spreadsheets do not show; numbers stay
    numbers, the negative ones too.
    """
    safe = table.copy()
    for name in safe.columns:
        if not is_numeric_dtype(safe[name]):
            safe[name] = safe[name].astype("object").map(_as_text)
    return safe.rename(columns=_as_text).to_csv(index=False, lineterminator="\n")


def _as_text(cell: object) -> object:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell

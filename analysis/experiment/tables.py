"""One result table of an experiment: all digits as Parquet and JSON, rounded as Markdown."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

NOTHING = "–"
Quantity = str
F1, DIFFERENCE = "f1", "difference"


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class ResultTable:
    """One table.

    Attributes:
        id: short name, of its files.
        title: what it shows.
        frame: long form, one row per number, fractions from 0 to 1.
        rows, columns: names of the columns of ``frame`` that the Markdown table has down and across; without
            ``columns`` it shows ``shown`` as they are.
        quantity: the column that its cells show, with ``low`` and ``high`` beside it.
        mark: a column of booleans; its cells get a dagger.
        shown: columns to show as they are, each with what writes a cell.
        notes: what to know about the numbers.
    """

    id: str
    title: str
    frame: pd.DataFrame
    rows: str
    columns: str = ""
    quantity: Quantity = F1
    mark: str = ""
    shown: Mapping[str, Callable[[Any], str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    def to_markdown(self) -> str:
        """Return title, table and notes."""
        lines = self._pivoted() if self.columns else self._plain()
        notes = [f"- {note}" for note in self.notes]
        return "\n".join([f"**{self.title}**\n", *lines, "", *notes, ""])

    def _pivoted(self) -> list[str]:
        names = list(dict.fromkeys(self.frame[self.columns]))
        lines = [_line([self.rows, *map(str, names)]), _line(["---", *["---:"] * len(names)])]
        for row, part in self.frame.groupby(self.rows, sort=False):
            cells = {cell[self.columns]: cell for cell in part.to_dict("records")}
            texts = [self._cell(cells[name]) if name in cells else NOTHING for name in names]
            lines.append(_line([str(row), *texts]))
        return lines

    def _plain(self) -> list[str]:
        lines = [_line([self.rows, *self.shown]), _line(["---"] * (1 + len(self.shown)))]
        for record in self.frame.to_dict("records"):
            lines.append(_line([str(record[self.rows]), *(write(record) for write in self.shown.values())]))
        return lines

    def _cell(self, record: Mapping[Any, Any]) -> str:
        dagger = " †" if self.mark and record[self.mark] else ""
        return with_interval(record, self.quantity) + dagger


def with_interval(record: Mapping[Any, Any], quantity: Quantity = F1) -> str:
    """Write a number in points of F1 with its interval."""
    sign = quantity == DIFFERENCE
    if pd.isna(record[quantity]):
        return NOTHING
    text = points(record[quantity], sign=sign)
    if pd.isna(record["low"]):
        return text
    return f"{text} ({points(record['low'], sign=sign)} to {points(record['high'], sign=sign)})"


def points(value: float, *, sign: bool = False) -> str:
    """Write a fraction in points, 0 to 100."""
    rounded = round(100 * value, 1) + 0.0  # no minus before a zero
    return f"{rounded:{'+' if sign and rounded else ''}.1f}".replace("-", "\u2212")


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"

"""Every table of a report as CSV, with all digits, and as LaTeX for an appendix."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from analysis.panels.display import ShownTable, shown_table
from analysis.report.files import write_text

if TYPE_CHECKING:
    from analysis.panels import Panel
    from analysis.report.document import Document

# More rows than this do not fit on a page and may break across pages.
_LONG = 40
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}", "\u2212": "$-$", "\u2192": r"$\rightarrow$",
    "\u00d7": r"$\times$", "\u2013": "--", "\u2026": r"\ldots{}", "\n": " ",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")


def csv_text(table: pd.DataFrame) -> str:
    """Return a table as CSV with a header, all digits, missing cells empty."""
    return table.to_csv(index=False, lineterminator="\n")


def write_csv(document: Document, folder: str | Path) -> list[Path]:
    """Write one CSV file per table.

    Raises:
        InputError: if the folder cannot be written to.
    """
    return _write(document, Path(folder), ".csv", lambda panel: csv_text(panel.table))


def write_latex(document: Document, folder: str | Path) -> list[Path]:
    r"""Write one LaTeX file per table, to be put into a paper with ``\input``; they need booktabs and longtable.

    Raises:
        InputError: if the folder cannot be written to.
    """
    return _write(document, Path(folder), ".tex", latex_text)


def latex_text(panel: Panel) -> str:
    """Return a panel's table as LaTeX: title, what to know about the numbers, and the rows."""
    table = shown_table(panel.table)
    facts = [panel.title, f"Scoring: {panel.rule}", f"Split: {panel.split}", f"n: {panel.n}", *panel.notes]
    caption = escaped(". ".join(fact.rstrip(".") for fact in facts) + ".")
    label = f"tab:{panel.id}"
    heading = _row([rf"\textbf{{{escaped(name)}}}" for name in table.headings])
    rows = "\n".join(_row([escaped(cell) for cell in row]) for row in table.rows)
    columns = _columns(table)
    if len(table.rows) > _LONG:
        return (
            f"\\begin{{longtable}}{{{columns}}}\n\\caption{{{caption}}}\\label{{{label}}}\\\\\n\\toprule\n{heading}\n"
            f"\\midrule\n\\endfirsthead\n\\toprule\n{heading}\n\\midrule\n\\endhead\n\\bottomrule\n\\endfoot\n{rows}\n"
            "\\end{longtable}\n"
        )
    return (
        f"\\begin{{table}}[htbp]\n\\centering\n\\small\n\\caption{{{caption}}}\\label{{{label}}}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{heading}\n\\midrule\n{rows}\n\\bottomrule\n\\end{{tabular}}\n"
        "\\end{table}\n"
    )


def escaped(text: str) -> str:
    """Return text that LaTeX prints letter by letter."""
    return _SPECIAL.sub(lambda match: _LATEX[match.group()], _CONTROL.sub(" ", text))


def _write(document: Document, folder: Path, suffix: str, text: Callable[[Panel], str]) -> list[Path]:
    panels = [panel for panel in document.panels() if len(panel.table)]
    return [write_text(folder / f"{panel.id}{suffix}", text(panel)) for panel in panels]


def _columns(table: ShownTable) -> str:
    paragraph = f"p{{{0.7 / max(sum(table.wide), 1):.2f}\\linewidth}}"
    return "".join(
        "r" if numeric else paragraph if wide else "l" for numeric, wide in zip(table.numeric, table.wide, strict=True)
    )


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"

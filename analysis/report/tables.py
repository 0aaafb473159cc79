"""Writes every table of a report as CSV, with all digits, and as LaTeX for an appendix."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.panels.display import ShownTable, shown_table
from analysis.report.files import write_text
from analysis.run.csv_text import csv_text

if TYPE_CHECKING:
    from analysis.panels import Panel
    from analysis.report.document import Document

# How many letters stand on a line of 160 mm, by size; the width of a column of running text, the least that one may
# have, and the space between two columns, likewise in letters.
_SIZES = (("small", 84), ("footnotesize", 95), ("scriptsize", 108), ("tiny", 146))
_PARAGRAPH, _LEAST, _GAP = 24, 12, 1.5
APPENDIX = "appendix.tex"
_APPENDIX = r"""\documentclass{article}
\usepackage[a4paper,margin=20mm]{geometry}
\usepackage{iftex}
\ifPDFTeX\usepackage[T1]{fontenc}\usepackage{textcomp}\IfFileExists{lmodern.sty}{\usepackage{lmodern}}{}\fi
\usepackage{booktabs,longtable}
\begin{document}
INPUTS
\end{document}
"""
# More rows than this do not fit on a page and may break across pages.
_LONG = 40
_LATEX = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "_": r"\_", "%": r"\%",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': r"\textquotedbl{}", "[": "{[}", "]": "{]}", "\u2212": "$-$", "\u2192": r"$\rightarrow$",
    "\u00d7": r"$\times$", "\u2013": "--", "\u2026": r"\ldots{}", "\n": " ", "/": r"/\allowbreak{}",
}  # fmt: skip
_SPECIAL = re.compile("|".join(map(re.escape, _LATEX)))
_CONTROL = re.compile("[\x00-\x09\x0b-\x1f\x7f]")


def write_csv(document: Document, folder: str | Path) -> list[Path]:
    """Write one CSV file per table, and one per figure that shows more than its table.

    Raises:
        InputError: if the folder cannot be written to.
    """
    folder = Path(folder)
    files = _write(document, folder, ".csv", lambda panel: csv_text(panel.table))
    drawn = [(panel.id, panel.figure_data) for panel in document.panels() if panel.figure_data is not None]
    return files + [write_text(folder / f"{name}-figure.csv", csv_text(table)) for name, table in drawn]


def write_latex(document: Document, folder: str | Path) -> list[Path]:
    r"""Write one LaTeX file per table, to be put into a paper with ``\input``, and one that prints them all.

    They need booktabs and longtable. Whatever XeLaTeX and LuaLaTeX print they print; pdfLaTeX knows no other letters
    than those of European languages.

    Raises:
        InputError: if the folder cannot be written to.
    """
    folder = Path(folder)
    files = _write(document, folder, ".tex", latex_text)
    inputs = "\n".join(rf"\input{{{file.stem}}}\clearpage" for file in files)
    write_text(folder / APPENDIX, _APPENDIX.replace("INPUTS", inputs))
    return files


def latex_text(panel: Panel) -> str:
    """Return a panel's table as LaTeX: title, notes on the numbers, and the rows."""
    table, same = _without_constants(shown_table(panel.table))
    facts = [panel.title, f"Scoring: {panel.rule}", f"Split: {panel.split}", f"n: {panel.n}", *same, *panel.notes]
    caption = escaped(". ".join(fact.rstrip(".") for fact in facts) + ".")
    label = f"tab:{panel.id}"
    heading = _row([_heading(name) for name in table.headings])
    rows = "\n".join(_row([escaped(cell) for cell in row]) for row in table.rows)
    size, columns = _layout(table)
    size = f"\\{size}\\setlength{{\\tabcolsep}}{{3pt}}"
    if len(table.rows) > _LONG:
        return (
            f"{{{size}\n\\begin{{longtable}}{{{columns}}}\n\\caption{{{caption}}}\\label{{{label}}}\\\\\n\\toprule\n"
            f"{heading}\n\\midrule\n\\endfirsthead\n\\toprule\n{heading}\n\\midrule\n\\endhead\n\\bottomrule\n"
            f"\\endfoot\n{rows}\n\\end{{longtable}}\n}}\n"
        )
    return (
        f"\\begin{{table}}[htbp]\n\\centering\n\\caption{{{caption}}}\\label{{{label}}}\n{size}\n"
        f"\\begin{{tabular}}{{{columns}}}\n\\toprule\n{heading}\n\\midrule\n{rows}\n\\bottomrule\n\\end{{tabular}}\n"
        "\\end{table}\n"
    )


def escaped(text: str) -> str:
    """Return text that LaTeX prints literally."""
    return _SPECIAL.sub(lambda match: _LATEX[match.group()], _CONTROL.sub(" ", text))


def _write(document: Document, folder: Path, suffix: str, text: Callable[[Panel], str]) -> list[Path]:
    panels = [panel for panel in document.panels() if len(panel.table)]
    return [write_text(folder / f"{panel.id}{suffix}", text(panel)) for panel in panels]


def _heading(name: str) -> str:
    lines = r"\\".join(map(escaped, name.split()))
    return rf"\textbf{{\shortstack[l]{{{lines}}}}}" if r"\\" in lines else rf"\textbf{{{lines}}}"


def _without_constants(table: ShownTable) -> tuple[ShownTable, list[str]]:
    """Move the columns that are the same in every row into the caption, where they take no width."""
    cells = list(zip(*table.rows, strict=True))
    same = [len(table.rows) > 1 and not table.numeric[i] and len(set(cells[i])) == 1 for i in range(len(cells))]
    if not any(same) or all(same):
        return table, []
    said = [f"{table.headings[i]}: {cells[i][0]}" for i, one in enumerate(same) if one]
    kept = [i for i, one in enumerate(same) if not one]
    columns = {name: tuple(getattr(table, name)[i] for i in kept) for name in ("headings", "numeric", "wide")}
    return ShownTable(rows=tuple(tuple(row[i] for i in kept) for row in table.rows), **columns), said


def _layout(table: ShownTable) -> tuple[str, str]:
    """Return the size of the letters and the columns' kinds, so that a table fits the width of an A4 page."""
    headings = [max(name.split(), key=len) for name in table.headings]  # each word has a line of its own
    longest = [max(map(len, column)) for column in zip(headings, *table.rows, strict=True)]
    size, capacity, wide = _fitting(longest, table)
    fixed = sum(length + _GAP for length, one in zip(longest, wide, strict=True) if not one)
    share = min(0.7, max(_LEAST / capacity, (1 - fixed / capacity) / max(sum(wide), 1) - 0.02))
    paragraph = f"p{{{share:.2f}\\linewidth}}"
    kinds = zip(table.numeric, wide, strict=True)
    return size, "".join("r" if numeric else paragraph if one else "l" for numeric, one in kinds)


def _fitting(longest: list[int], table: ShownTable) -> tuple[str, int, tuple[bool, ...]]:
    """Return the largest letters that fit, how many fill a line, and which columns are running text.

    Where not even the smallest fit, every text of more than a word or two is set as running text.
    """
    narrow = tuple(not numeric and length > _LEAST for length, numeric in zip(longest, table.numeric, strict=True))
    for wide, paragraph in ((table.wide, _PARAGRAPH), (narrow, _LEAST)):
        columns = (paragraph if one else length for length, one in zip(longest, wide, strict=True))
        needed = sum(columns) + _GAP * len(longest)
        for size, capacity in _SIZES:
            if needed <= capacity:
                return size, capacity, wide
    return *_SIZES[-1], narrow


def _row(cells: list[str]) -> str:
    return " & ".join(cells) + r" \\"

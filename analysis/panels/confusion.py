"""Confusion matrices: one language, all, the difference of two languages or of two runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Literal

import pandas as pd

from analysis.panels.panel import Content, panel
from analysis.panels.scores import counts_of
from analysis.panels.wording import counted, language_label
from analysis.scores.confusion import Confusion, Reading, difference, row_shares
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.panels.selection import Selection
    from analysis.run.folder import EvaluationRun

RULES = {
    "overlap": "entities that share a word are one cell, whatever their boundaries",
    "exact": "entities with the same span are one cell; a boundary error is one missed and one spurious entity",
}
_HOW = (
    "A row says what became of the gold entities of one type (the stronger the colour, the larger the share of the "
    "row); 'missed' were not found at all, and 'spurious' was marked where nothing is annotated."
)


def confusion_of(run: EvaluationRun, condition: str | None = None, reading: Reading = "overlap") -> Confusion:
    """Return the run's confusion matrix, built once per run; each cell leads to its sentences."""
    return run.remember(("confusion", condition, reading), lambda: Confusion.build(run.answers(condition), reading))


def _each_language(chosen: Selection) -> Iterator[dict[str, str]]:
    languages = _languages(chosen)
    yield from ({"language": language} for language in ("all", *(languages if len(languages) > 1 else ())))


def _each_pair(chosen: Selection) -> Iterator[dict[str, str]]:
    """Yield each language beside English, or beside the first one where there is no English."""
    languages = _languages(chosen)
    reference = "en" if "en" in languages else (languages or [""])[0]
    yield from ({"first": language, "second": reference} for language in languages if language != reference)


def _languages(chosen: Selection) -> list[str]:
    return sorted(set(chosen.run.answers(chosen.condition).languages))


@panel(
    "confusion",
    "Confusion matrix",
    _HOW,
    chapter="Confusion",
    height=430,
    variants=_each_language,
)
def confusion(
    run: EvaluationRun,
    language: str = "all",
    values: Literal["counts", "shares"] = "counts",
    reading: Reading = "overlap",
    condition: str | None = None,
) -> Content:
    """Show the matrix of one language as counts or row shares."""
    from analysis.figures import confusion_matrix

    counts = confusion_of(run, condition, reading).counts(None if language == "all" else language)
    answers = run.answers(condition)
    chosen = answers if language == "all" else answers.take(answers.languages == language)
    empty = not counts.to_numpy().sum()
    matrix = counts if values == "counts" else row_shares(counts)
    return Content(
        table=_with_gold(matrix),
        figure=None if empty else confusion_matrix(matrix, values),
        alternative="" if empty else f"Heat map of gold against predicted types. {_main_confusions(counts)}",
        rule=RULES[reading],
        n=counts_of(chosen),
        notes=("No gold and no predicted entity in this slice.",) if empty else (),
        suffix=language_label(language),
    )


@panel(
    "confusion-languages",
    "Where two languages differ",
    "Row shares of the first language minus those of the second, in percentage points of a gold type's entities: on "
    "the diagonal positive is better, elsewhere it is one more confusion.",
    variants=_each_pair,
)
def confusion_languages(
    run: EvaluationRun, first: str, second: str, reading: Reading = "overlap", condition: str | None = None
) -> Content:
    """Show the difference of two languages of one run."""
    cells = confusion_of(run, condition, reading)
    suffix = f"{language_label(first)} minus {language_label(second)}"
    return _difference(cells.counts(first), cells.counts(second), reading, suffix)


@panel(
    "confusion-runs",
    "Where two runs differ",
    "Row shares of this run minus those of the other, in percentage points of a gold type's entities: on the diagonal "
    "positive is better, elsewhere it is one more confusion.",
)
def confusion_runs(
    run: EvaluationRun, other: EvaluationRun, language: str = "all", reading: Reading = "overlap"
) -> Content:
    """Show the difference of two runs over one language."""
    of = None if language == "all" else language
    mine, theirs = (confusion_of(one, None, reading).counts(of) for one in (run, other))
    return _difference(mine, theirs, reading, f"{run.name} minus {other.name}, {language_label(language)}")


def _difference(a: pd.DataFrame, b: pd.DataFrame, reading: Reading, suffix: str) -> Content:
    from analysis.figures import confusion_matrix

    matrix = difference(a, b)
    sizes = f"{counted(_gold(a), 'gold entity', 'gold entities')} and {_gold(b):,}"
    if matrix.notna().to_numpy().sum() == 0:
        raise InputError(f"{suffix}: no type has entities on both sides ({sizes}), so there is nothing to subtract.")
    ranked = sorted(_cells(matrix.fillna(0)), key=lambda cell: -abs(cell[2]))
    largest = [f"gold {row} as {column} {100 * value:+.0f} points" for row, column, value in ranked[:3] if value]
    return Content(
        table=_with_gold(matrix),
        figure=confusion_matrix(matrix, "difference"),
        alternative="Heat map of differences around 0. "
        + (f"Largest: {'; '.join(largest)}." if largest else "There is none."),
        rule=RULES[reading],
        n=sizes,
        notes=_undefined_rows(matrix),
        suffix=suffix,
    )


def _main_confusions(counts: pd.DataFrame) -> str:
    parts = []
    for row in counts.index[:-1]:
        if total := int(counts.loc[row].to_numpy().sum()):
            right, missed = counts[row].at[row], counts["missed"].at[row]
            parts.append(f"{row}: {right} of {total} marked as such, {missed} missed")
    spurious = int(counts.loc["spurious"].to_numpy().sum())
    wrong = [cell for cell in _cells(counts.drop(index="spurious", columns="missed")) if cell[0] != cell[1]]
    row, column, most = max(wrong, key=lambda cell: cell[2], default=("", "", 0))
    if most:
        parts.append(f"most frequent confusion: {most:.0f} gold {row} marked {column}")
    return "; ".join([*parts, f"{spurious} spurious"]) + "."


def _cells(matrix: pd.DataFrame) -> list[tuple[str, str, float]]:
    """List row, column and value of each cell."""
    values = matrix.to_numpy()
    rows, columns = list(matrix.index), list(matrix.columns)
    return [(row, column, values[i, j]) for i, row in enumerate(rows) for j, column in enumerate(columns)]


def _undefined_rows(matrix: pd.DataFrame) -> tuple[str, ...]:
    empty = [str(row) for row in matrix.index if matrix.loc[row].isna().all()]
    return (f"No difference for {', '.join(empty)}: one side has none.",) if empty else ()


def _with_gold(matrix: pd.DataFrame) -> pd.DataFrame:
    """Return the matrix with its rows' names as a column, as every other table has them."""
    return matrix.rename_axis("gold", axis="index").reset_index()


def _gold(counts: pd.DataFrame) -> int:
    return int(counts.drop(index="spurious").to_numpy().sum())

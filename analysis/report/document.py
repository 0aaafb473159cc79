"""The content of a report, in any format: sections of panels, key numbers, provenance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

import pandas as pd

from analysis.panels import Panel
from analysis.panels.facts import RunFacts, checkpoint_of, facts_of, provenance_rows
from analysis.panels.registry import SECTIONS, Section
from analysis.panels.selection import Chosen
from analysis.panels.wording import number
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Chapter:
    """A section with its panels made."""

    id: str
    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Highlight:
    """One number at a glance.

    Attributes:
        label: what it is.
        value: the number, in words.
        detail: interval, n, rule.
        panel: id of the panel that shows it.
    """

    label: str
    value: str
    detail: str
    panel: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A report.

    Attributes:
        title: of the page.
        runs: what the provenance of each run says in short.
        provenance: per run its name and all facts as rows of name and value.
        chapters: the sections.
        highlights: the numbers at a glance.
    """

    title: str
    runs: tuple[RunFacts, ...]
    provenance: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    chapters: tuple[Chapter, ...]
    highlights: tuple[Highlight, ...]

    def panels(self) -> Iterator[Panel]:
        """Return all panels in order."""
        return (panel for chapter in self.chapters for panel in chapter.panels)


def collect(
    run: EvaluationRun,
    other: EvaluationRun | None = None,
    *,
    valid: EvaluationRun | None = None,
    condition: str | None = None,
    only: str | None = None,
) -> Document:
    """Make the panels of a report.

    Args:
        run: what the report is about.
        other: a run over the same split to compare it with.
        valid: a run over the validation data, to fit the temperature on.
        condition: the image condition that scores and errors are about; None for the run's first.
        only: id of the one kind of panel to make.

    Raises:
        InputError: if there is no panel of that id, no such condition, or ``valid`` is a run of another checkpoint.
    """
    if valid is not None and checkpoint_of(valid.provenance) != checkpoint_of(run.provenance):
        raise InputError(
            f"{valid.name} is a run of another checkpoint than {run.name}; its probabilities say nothing about the "
            "other's. Give a run of the same checkpoint over validation data."
        )
    chosen = Chosen(run, other, valid, condition)
    run.answers(condition)  # says so if there is no such condition
    known = [kind.id for section in SECTIONS for kind in section.kinds(chosen)]
    if only is not None and only not in known:
        raise InputError(f"There is no panel {only!r}; there are {', '.join(known)}.")
    taken: Counter[str] = Counter()
    chapters = [_chapter(section, chosen, only, taken) for section in SECTIONS]
    runs = [one for one in (run, other, valid) if one is not None]
    title = f"{run.name} and {other.name}" if other is not None else run.name
    found = {panel.id: panel for chapter in chapters for panel in chapter.panels}
    return Document(
        title=title,
        runs=tuple(facts_of(one) for one in runs),
        provenance=tuple((one.name, tuple(provenance_rows(one.provenance))) for one in runs),
        chapters=tuple(chapter for chapter in chapters if chapter.panels),
        highlights=tuple(_highlights(found)),
    )


def _chapter(section: Section, chosen: Chosen, only: str | None, taken: Counter[str]) -> Chapter:
    panels = (panel for kind in section.kinds(chosen) if only in (None, kind.id) for panel in kind.panels(chosen))
    title = section.title.format(other=chosen.other.name if chosen.other is not None else "")
    return Chapter(id=section.id, title=title, panels=tuple(_named_apart(panel, taken) for panel in panels))


def _named_apart(panel: Panel, taken: Counter[str]) -> Panel:
    """Add a number to an id that is taken: two language names may differ only in punctuation."""
    taken[panel.id] += 1
    return panel if taken[panel.id] == 1 else replace(panel, id=f"{panel.id}-{taken[panel.id]}")


def _highlights(panels: dict[str, Panel]) -> Iterator[Highlight]:
    if (row := _first(panels, "scores", rule="strict", language="all", type="all")) is not None:
        detail = f"strict, {_interval(row)}{panels['scores'].n}"
        yield Highlight(label="F1 over all languages", value=number(row["f1"]), detail=detail, panel="scores")
    if (row := _first(panels, "modality", condition="matched", language="all", type="all")) is not None:
        value = number(row["difference"], sign=True)
        detail = f"F1 minus F1 of text only, {_interval(row, sign=True)}{row['n_sentences']:,.0f} sentences"
        yield Highlight(label="What the image adds", value=value, detail=detail, panel="modality")
    if (row := _first(panels, "calibration", language="all")) is not None and pd.notna(row["ece_before"]):
        fitted = f"{number(row['ece_after'])} after temperature {number(row['temperature'], 2)}"
        detail = (
            f"ECE; {fitted if pd.notna(row['temperature']) else 'no temperature could be fitted'}; n = {row['n']:,}"
        )
        yield Highlight(label="Calibration error", value=number(row["ece_before"]), detail=detail, panel="calibration")
    if (row := _first(panels, "minimal-pairs", language="all", outcome="both right")) is not None:
        detail = f"minimal pairs both right, {_interval(row)}{panels['minimal-pairs'].n}"
        yield Highlight(label="Decided by the image", value=number(row["share"]), detail=detail, panel="minimal-pairs")


def _interval(row: pd.Series, sign: bool = False) -> str:
    if pd.isna(row["low"]):
        return ""
    return f"{number(row['low'], sign=sign)} to {number(row['high'], sign=sign)}; "


def _first(panels: dict[str, Panel], panel_id: str, **values: str) -> pd.Series | None:
    """Return the first row of a panel's table that has these values, if there is one."""
    if panel_id not in panels or panels[panel_id].table.empty:
        return None
    table = panels[panel_id].table
    for column, value in values.items():
        table = table[table[column] == value]
    return table.iloc[0] if len(table) else None

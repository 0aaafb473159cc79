"""A panel of the app and of the report: a table, perhaps a figure, and all it takes to trust them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from inspect import signature
from typing import TYPE_CHECKING, Concatenate, ParamSpec

import pandas as pd

from analysis.panels.facts import command_of, facts_of
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from analysis.run.folder import EvaluationRun

P = ParamSpec("P")


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Panel:
    """One panel.

    Attributes:
        id: short name for links, files and ``--only``; unique among the panels of a report.
        title: what it is called.
        how_to_read: one sentence.
        table: the numbers; empty where there are none, and then ``notes`` says why.
        figure: of the same numbers, or None.
        figure_data: the numbers that the figure shows beyond the table, such as the bins of a histogram, or None.
        alternative: what the figure shows, in words; empty without a figure.
        rule: scoring rule or unit of the numbers.
        split: the data they are about.
        n: what they were counted on, in words.
        command: reproduces the table.
        notes: sentences about what is missing, small or shortened.
        badges: warnings of a few words that belong beside the figure.
    """

    id: str
    title: str
    how_to_read: str
    table: pd.DataFrame
    figure: go.Figure | None
    figure_data: pd.DataFrame | None
    alternative: str
    rule: str
    split: str
    n: str
    command: str
    notes: tuple[str, ...]
    badges: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class Content:
    """What a panel's function works out; the rest of the panel is known beforehand.

    Attributes:
        suffix: told apart in id and title when one function makes several panels, such as a language.
        others as in :class:`Panel`.
    """

    table: pd.DataFrame
    rule: str
    n: str
    figure: go.Figure | None = None
    figure_data: pd.DataFrame | None = None
    alternative: str = ""
    notes: tuple[str, ...] = ()
    badges: tuple[str, ...] = ()
    suffix: str = ""


def panel(
    panel_id: str, title: str, how_to_read: str
) -> Callable[[Callable[Concatenate[EvaluationRun, P], Content]], Callable[Concatenate[EvaluationRun, P], Panel]]:
    """Turn a function of a run that returns a :class:`Content` into one that returns a :class:`Panel`.

    Where the run lacks what the function needs, its :class:`InputError` becomes the panel's note, so that one missing
    column never takes the page with it.
    """

    def decorate(
        function: Callable[Concatenate[EvaluationRun, P], Content],
    ) -> Callable[Concatenate[EvaluationRun, P], Panel]:
        parameters = signature(function)

        @wraps(function)
        def build(run: EvaluationRun, /, *args: P.args, **kwargs: P.kwargs) -> Panel:
            asked = parameters.bind(run, *args, **kwargs).arguments
            command = command_of(panel_id, run, asked.get("other"), asked.get("valid"), asked.get("condition"))
            try:
                content = function(run, *args, **kwargs)
            except InputError as error:
                content = Content(table=pd.DataFrame(), rule="", n="", notes=(str(error),))
            return _assemble(panel_id, title, how_to_read, content, facts_of(run).split, command)

        return build

    return decorate


def _assemble(panel_id: str, title: str, how_to_read: str, content: Content, split: str, command: str) -> Panel:
    return Panel(
        id=_slug(f"{panel_id} {content.suffix}"),
        title=f"{title}: {content.suffix}" if content.suffix else title,
        how_to_read=how_to_read,
        table=content.table,
        figure=content.figure,
        figure_data=content.figure_data if content.figure is not None else None,
        alternative=content.alternative,
        rule=content.rule,
        split=split,
        n=content.n,
        command=command,
        notes=content.notes,
        badges=content.badges,
    )


def _slug(text: str) -> str:
    """Return text that may stand in a link and in a file name, whatever a language or run is called."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def shortened(table: pd.DataFrame, limit: int, by: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Keep the first rows of a table, with the sentence that says so; none where nothing was cut.

    Args:
        table: sorted.
        limit: how many rows to keep.
        by: what it is sorted by, for the sentence.
    """
    if len(table) <= limit:
        return table, ()
    return table.head(limit), (f"The first {limit} of {len(table):,} rows by {by}.",)

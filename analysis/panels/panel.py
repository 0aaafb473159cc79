"""A panel of the app and of the report: a table, perhaps a figure, and what is needed to trust them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from inspect import Parameter, signature
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec

import pandas as pd

from analysis.panels.facts import command_of, facts_of
from analysis.panels.selection import CHOICES, Selection
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
    """The part of a panel that its function computes; the rest is known beforehand.

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


Variants = Callable[[Selection], Iterable[Mapping[str, Any]]]


def _one_variant(_: Selection) -> Iterable[Mapping[str, Any]]:
    return ({},)


def only_beside(run: EvaluationRun, file: str) -> Iterable[Mapping[str, Any]]:
    """Return one variant for a run with a file of corrections or slices beside it, none for any other."""
    return ({},) if run.folder is not None and (run.folder / file).exists() else ()


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class PanelKind(Generic[P]):
    """A function that makes panels, with what is known of them before it runs.

    Where the run lacks what the function needs, its :class:`InputError` becomes the panel's note, so that one missing
    column never takes the page with it.

    Attributes:
        id, title, how_to_read: of the panels, before a suffix.
        function: works out the content; its parameters named as in ``CHOICES`` are what the panel depends on.
        chapter: its name in the list at the top of a tab; "" for a panel that belongs to the one before it.
        height: pixels that a tab keeps free for it, so that the page does not jump.
        variants: further arguments, one set for each panel that a report has of this kind.
    """

    id: str
    title: str
    how_to_read: str
    function: Callable[Concatenate[EvaluationRun, P], Content]
    chapter: str
    height: int
    variants: Variants

    def __call__(self, run: EvaluationRun, /, *args: P.args, **kwargs: P.kwargs) -> Panel:
        """Make a panel of a run."""
        asked = signature(self.function).bind(run, *args, **kwargs).arguments
        command = command_of(self.id, run, asked.get("other"), asked.get("valid"), asked.get("condition"))
        try:
            content = self.function(run, *args, **kwargs)
        except InputError as error:
            content = Content(table=pd.DataFrame(), rule="", n="", notes=(str(error),))
        return _assemble(self.id, self.title, self.how_to_read, content, facts_of(run).split, command)

    @property
    def depends_on(self) -> tuple[str, ...]:
        """Return which of ``CHOICES`` change the panel."""
        return tuple(name for name in CHOICES if name in signature(self.function).parameters)

    @property
    def needs_other(self) -> bool:
        """Return whether the panel needs a run to compare with."""
        other = signature(self.function).parameters.get("other")
        return other is not None and other.default is Parameter.empty

    def of(self, chosen: Selection, **further: Any) -> Panel:
        """Make the panel for what the reader has chosen."""
        make: Callable[..., Panel] = self
        return make(chosen.run, **{name: getattr(chosen, name) for name in self.depends_on} | further)

    def panels(self, chosen: Selection) -> Iterator[Panel]:
        """Make the panels of this kind that a report has, one by one."""
        return (self.of(chosen, **further) for further in self.variants(chosen))


def panel(
    panel_id: str,
    title: str,
    how_to_read: str,
    *,
    chapter: str = "",
    height: int = 320,
    variants: Variants = _one_variant,
) -> Callable[[Callable[Concatenate[EvaluationRun, P], Content]], PanelKind[P]]:
    """Turn a function of a run that returns a :class:`Content` into a :class:`PanelKind`, called like it.

    The other arguments are what a :class:`PanelKind` has under their names.
    """

    def decorate(function: Callable[Concatenate[EvaluationRun, P], Content]) -> PanelKind[P]:
        return PanelKind(
            id=panel_id,
            title=title,
            how_to_read=how_to_read,
            function=function,
            chapter=chapter,
            height=height,
            variants=variants,
        )

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
    """Return text that is safe in a link and in a file name, whatever a language or run is called."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def shortened(table: pd.DataFrame, limit: int, by: str) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Keep the first rows of a table; also return the sentence that says so, empty if nothing was cut.

    Args:
        table: sorted.
        limit: how many rows to keep.
        by: what it is sorted by, for the sentence.
    """
    if len(table) <= limit:
        return table, ()
    return table.head(limit), (f"The first {limit} of {len(table):,} rows by {by}.",)

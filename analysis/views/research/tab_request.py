"""The request for a part of a research tab, with all that it takes to answer it, and the rendered part."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from analysis.palette import type_colours
from mmner_core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from analysis.run.answers import Answers
    from analysis.run.folder import EvaluationRun
    from analysis.views.research.image_store import ImageStore
    from analysis.views.research.library import RunLibrary
    from analysis.views.research.loaded_model import LoadedModel
    from analysis.views.research.view import View


OWN_HALVES = "-"  # instead of a validation run: what is stored with the run, or its own two halves


@dataclass(frozen=True, kw_only=True)
class TabRequest:
    """One request for a part of a tab.

    Attributes:
        view: the state of the page.
        library: the runs.
        images: the images of runs.
        model: the loaded model, that of the first tab.
        writable: whether visitors may keep corrections and slices beside the runs.
    """

    view: View
    library: RunLibrary
    images: ImageStore
    model: LoadedModel
    writable: bool = False

    @cached_property
    def run(self) -> EvaluationRun:
        """Return the run that is shown."""
        return self.library.run(self.view.run)

    @property
    def other(self) -> EvaluationRun | None:
        """Return the run to compare with, None where none is chosen."""
        return self.library.run(self.view.other) if self.view.other else None

    @property
    def valid(self) -> EvaluationRun | None:
        """Return the run to fit the temperature on: the chosen one, else the first that there is; None for none.

        Raises:
            InputError: if the chosen one is no validation run of the same checkpoint.
        """
        known = self.library.valid_runs(self.run)
        if self.view.valid == OWN_HALVES or not (known or self.view.valid):
            return None
        name = self.view.valid or known[0]
        if name not in known:
            raise InputError(f"Run {name!r} is no run of this checkpoint over validation data; choose another one.")
        return self.library.run(name)

    @property
    def condition(self) -> str:
        """Return the image condition that is shown.

        Raises:
            InputError: if the run does not have it.
        """
        condition = self.view.condition or self.run.condition
        if condition not in self.run.conditions:
            raise InputError(f"Run {self.run.name!r} has no image condition {condition!r}; choose another one above.")
        return condition

    @property
    def language(self) -> str:
        """Return the language that is shown, "all" for all."""
        return self.view.language or "all"

    @property
    def answers(self) -> Answers:
        """Return what was said under that condition."""
        return self.run.answers(self.condition)

    @property
    def colours(self) -> dict[str, str]:
        """Return the colours of the run's types."""
        return type_colours(self.answers.gold.types)

    def row_of(self, sentence_id: int, answers: Answers | None = None) -> int | None:
        """Return the row of a sentence under the condition, None where it took no part."""
        rows = (answers or self.answers).sentences["sentence_id"]
        found = rows.searchsorted(sentence_id)
        return int(found) if found < len(rows) and rows.iloc[found] == sentence_id else None


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class RenderedPart:
    """A part of a tab, rendered.

    Attributes:
        html: its markup; empty for a part that has nothing to show now.
        figure: to draw where the markup has a ``.wb-figure``.
        table: makes what is downloaded.
        figure_data: what the figure shows beyond the table, to be downloaded as well.
        name: of the downloaded file.
        files: make other files to download, as :func:`analysis.views.research.tables.table_file` returns them.
        traces: lines and points to lay over the map, as plotly traces.
    """

    html: str
    figure: go.Figure | None = None
    table: Callable[[], pd.DataFrame] | None = None
    figure_data: pd.DataFrame | None = None
    name: str = "table"
    traces: list[dict[str, Any]] | None = field(default=None)
    files: Mapping[str, Callable[[], dict[str, str]]] = field(default_factory=dict)

"""How long a visitor of the research tabs waits: for each tab, and for a page of a failure table of many rows.

Measured where the pages are made, on the server; a browser adds some 0.1 s for each part that has a figure.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from analysis.evaluation.plan import MATCHED, NONE
from analysis.evaluation.writer import write_run
from analysis.panels.errors import failures_of
from analysis.run.folder import EvaluationRun
from analysis.scores.failures import failure_table
from analysis.scores.query import Filter
from analysis.views.research.controller import TabController
from analysis.views.research.failures import PAGE_SIZE, draw_failures
from analysis.views.research.library import DEMO_RUNS, FIRST
from analysis.views.research.tab_request import TabRequest
from analysis.views.research.tabs import TABS, TabPart
from analysis.views.research.view import View
from analysis.views.service import TagService
from mmner_core.runtime.repository import SHIPPED
from tests.bench.timing import CallTimes, time_call

SORTED_BY = ("error", "span_probability", "gold_probability", "loss", "image_text_cosine", "seen", "language")
FILTERS = (
    Filter(column="text", operator="contains", value="in"),
    Filter(column="gold_text", operator="contains", value="a"),
    Filter(column="error", operator="is not", value="missed"),
    Filter(column="span_probability", operator="at most", value=0.9),
    Filter(column="loss", operator="at least", value=3),
    Filter(column="language", operator="one of", value=["de", "es"]),
)


def bench_tabs(*, rounds: int, tabs: Mapping[str, Sequence[TabPart]] = TABS) -> dict[str, dict[str, CallTimes]]:
    """Draw each tab of the run that ships.

    Args:
        rounds: how often.
        tabs: the parts of each.

    Returns:
        per tab the timings "first part" (what stands at its top, drawn for the first time since the app was started),
        "all parts", and "again": all parts once they were drawn, as the app does by itself when it starts.
    """
    seconds: dict[str, dict[str, list[float]]] = {tab: {"first part": [], "all parts": [], "again": []} for tab in tabs}
    for _ in range(rounds):
        for tab, taken in seconds.items():
            controller = TabController(TagService(SHIPPED))
            first, *others = _draw_parts(controller, tab, tabs[tab])
            taken["first part"].append(first)
            taken["all parts"].append(first + sum(others))
            taken["again"].append(sum(_draw_parts(controller, tab, tabs[tab])))
    return {tab: {name: CallTimes.of(values) for name, values in taken.items()} for tab, taken in seconds.items()}


def _draw_parts(controller: TabController, tab: str, parts: Sequence[TabPart]) -> list[float]:
    """Draw the parts of a tab; return the seconds of each."""
    return [time_call(partial(controller.part, tab, {"part": part.id})) for part in parts]


def bench_table(rows: int, *, rounds: int) -> dict[str, Any]:
    """Ask a failure table of at least so many rows for pages, sorted and filtered in many ways.

    The errors are those of the run that ships, over and over.

    Returns:
        ``rows``; the timings "build" (once per run), "page", "sort", "filter", "sort and filter"; and "whole table as
        JSON", what sending it to the browser to be sorted there would begin with.
    """
    with tempfile.TemporaryDirectory() as folder:
        name = write_errors(Path(folder) / "many", rows).name
        controller = TabController(TagService(SHIPPED), runs=[Path(folder)])
        run = controller.library.run(name)
        seconds = {"build": [time_call(lambda: failures_of(run, MATCHED))]}
        table = failures_of(run, MATCHED)  # kept by the run
        for _ in range(rounds):
            for kind, view in _views(name, len(table)):
                request = TabRequest(
                    view=view, library=controller.library, images=controller.images, model=controller.model
                )
                seconds.setdefault(kind, []).append(time_call(partial(draw_failures, request)))
            seconds.setdefault("whole table as JSON", []).append(time_call(lambda: table.to_json(orient="records")))
    return {"rows": len(table), **{kind: CallTimes.of(values) for kind, values in seconds.items()}}


def write_errors(folder: Path, rows: int) -> Path:
    """Write a run with at least so many errors: the sentences of the demo's that have some, repeated."""
    demo = EvaluationRun.open(DEMO_RUNS / FIRST)
    errors = failure_table(demo.answers(MATCHED))
    wrong = np.unique(errors["sentence"].to_numpy())
    copies = -(-rows // len(errors))
    parts = []
    for condition in (MATCHED, NONE):
        table = pa.concat_tables([demo.answers(condition).table.take(pa.array(wrong))] * copies)
        field = table.schema.field("sentence_id")
        numbers = pa.array(np.arange(len(table)), field.type)
        parts.append(table.set_column(table.schema.get_field_index(field.name), field, numbers))
    return write_run(folder, parts, metrics={}, provenance={"command": "python -m tests.bench --tabs"})


def _views(run: str, rows: int) -> Iterator[tuple[str, View]]:
    """Yield what a visitor asks, and of which kind it is."""
    for share in (0.0, 0.3, 0.9):
        yield "page", View(run=run, page=1 + int(share * rows / PAGE_SIZE))
    for column in SORTED_BY:
        for sort in (column, f"-{column}"):
            yield "sort", View(run=run, sort=sort)
    for condition in FILTERS:
        yield "filter", View(run=run, filters=(condition,))
        yield "sort and filter", View(run=run, filters=(condition,), sort="-loss")


def ratios(table: Mapping[str, Any]) -> dict[str, float]:
    """Return how many times as long the whole table takes as a page of each kind."""
    plain = table["whole table as JSON"].median
    return {kind: plain / table[kind].median for kind in ("page", "sort", "filter", "sort and filter")}

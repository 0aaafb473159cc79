"""What visitors kept beside a run: named slices of the failure table, and the scores on corrected gold tags."""

from __future__ import annotations

import base64
from functools import partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.panels import corrections as panels
from analysis.panels.errors import failures_of
from analysis.panels.kept_slices import kept_slices, scored, slice_in_words
from analysis.panels.wording import counted, language_label, with_interval
from analysis.run.corrected_file import corrected_file, corrected_sources
from analysis.run.corrections import read_corrections
from analysis.run.journal import MAX_NOTE
from analysis.scores.kept_slices import MAX_NAME, KeptSlice, read_slices
from analysis.scores.metrics import score_row
from analysis.views.rendering import render
from analysis.views.research.panel_html import panel_html, render_panel
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import table_html
from analysis.views.research.view import written_filters
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

FILE = "file-"
"""Begins what is asked for to download a corrected file; its number follows."""


def draw_kept_slices(request: TabRequest) -> RenderedPart:
    """Return the slices of the run, each a button that shows it, and the form that keeps the present filter."""
    panel, view = kept_slices(request.run), request.view
    now = KeptSlice(name="", filters=view.filters, language=view.language, condition=view.condition, note="")
    slices = [] if len(panel.notes) and not len(panel.table) else list(read_slices(request.run).values())
    body = render(
        "research/kept_slices",
        slices=[_described(request, kept) for kept in slices],
        writable=request.writable,
        now=[slice_in_words(now), language_label(request.language), *_condition(now)],
        longest_name=MAX_NAME,
        longest=MAX_NOTE,
    )
    return RenderedPart(html=panel_html(panel, body), table=lambda: panel.table, name=panel.id)


def slice_changes(request: TabRequest) -> dict[str, dict[str, str]]:
    """Return what shows each slice of the run: the parameters of the address that it sets, by its name."""
    try:
        return {name: _change(kept) for name, kept in read_slices(request.run).items()}
    except InputError:  # told where the slices are listed
        return {}


def draw_corrected_scores(request: TabRequest) -> RenderedPart:
    """Return the scores with and without the corrections."""
    return render_panel(panels.corrected_scores.of(request), request.view.language)


def draw_corrections(request: TabRequest) -> RenderedPart:
    """Return the list of corrections, with the corrected files to download."""
    run = request.run
    panel = panels.corrections.of(request)
    sources = corrected_sources(run, read_corrections(run)) if len(panel.table) else {}
    named = {f"{FILE}{number}": source for number, source in enumerate(sources)}
    labels = {
        kind: f"{source.rpartition('/')[2] or 'The sentences'}, corrected ({counted(sources[source], 'sentence')})"
        for kind, source in named.items()
    }
    table = table_html(panel.table, panel.title) if len(panel.table) else ""
    return RenderedPart(
        html=panel_html(panel, render("research/corrections", table=table, files=labels)),
        table=lambda: panel.table,
        name=panel.id,
        files={kind: partial(_corrected, run, source) for kind, source in named.items()},
    )


def _corrected(run: EvaluationRun, source: str) -> dict[str, str]:
    file = corrected_file(run, read_corrections(run), source)
    data = base64.b64encode(file.text.encode("utf-8", "replace")).decode("ascii")
    return {"name": file.name, "mime": "text/plain;charset=utf-8", "data": data}


def _change(kept: KeptSlice) -> dict[str, str]:
    filters = written_filters(kept.filters)
    return {"filters": filters, "language": kept.language, "condition": kept.condition, "page": ""}


def _described(request: TabRequest, kept: KeptSlice) -> dict[str, Any]:
    try:
        found = kept.rows(failures_of(request.run, kept.condition or request.run.condition))
        details = [counted(len(found), "error"), _score(request.run, kept), slice_in_words(kept)]
    except InputError as error:
        details = [slice_in_words(kept), str(error)]
    details += [language_label(kept.language)] if kept.language else []
    kept_by = f"kept by {kept.by}, {kept.at} UTC" if kept.by else f"kept {kept.at} UTC"
    details += [*_condition(kept), kept_by]
    return {"name": kept.name, "note": kept.note, "change": _change(kept), "details": details}


def _score(run: EvaluationRun, kept: KeptSlice) -> str:
    found, told = scored(run, kept)
    if found is None or found.f1 is None:
        return told
    counts = f"{counted(found.n_gold, 'gold entity', 'gold entities')}, {found.n_predicted:,} predicted"
    few = "" if found.interval is not None else ", too few for an interval"
    return f"F1 {with_interval(pd.Series(score_row(found)))} of {counts}{few}"


def _condition(kept: KeptSlice) -> list[str]:
    return [f"condition {kept.condition}"] if kept.condition else []

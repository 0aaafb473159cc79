"""The inspector's form to correct the gold tags of a sentence, where the server lets visitors write."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from analysis.run.corrections import gold_of, read_corrections, types_of_run
from analysis.run.journal import MAX_NOTE
from analysis.views.rendering import render
from analysis.views.research.tab_request import RenderedPart, TabRequest
from mmner_core.labels import OUTSIDE, LabelSet

if TYPE_CHECKING:
    from analysis.run.corrections import Correction

_HOW = (
    "One tag per word: B- begins a name, I- goes on with it, and an I- with nothing before it begins one as well. The "
    "correction is kept beside the run, which itself stays as it is; the scores with and without all corrections are "
    "in the Errors tab, where the corrected file can be downloaded."
)


def draw_correct(request: TabRequest) -> RenderedPart:
    """Return the form for the chosen sentence; empty while none is chosen, and where nothing may be written."""
    sentence = request.view.sentence_id
    answers = request.run.answers()
    row = None if sentence is None else request.row_of(sentence, answers)
    if sentence is None or row is None or not request.writable:
        return RenderedPart(html="")
    correction = read_corrections(request.run).of.get(sentence)
    annotated = gold_of(answers, row)
    types = types_of_run(request.run)
    html = render(
        "research/correct",
        how=_HOW,
        said="" if correction is None else _said(correction),
        words=list(zip(answers.words_of(row), annotated if correction is None else correction.tags, strict=True)),
        tags=LabelSet(types).tags if types else (OUTSIDE,),
        longest=MAX_NOTE,
        note="" if correction is None else correction.note,
        predicted=json.dumps(answers.table["tags"][row].as_py()),
        annotated=json.dumps(list(annotated)),
    )
    return RenderedPart(html=html)


def _said(correction: Correction) -> str:
    by = f" by {correction.by}" if correction.by else ""
    note = f": {correction.note}" if correction.note else "."
    return f"Corrected{by}, {correction.at} UTC{note}"

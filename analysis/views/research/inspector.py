"""The inspector: one sentence of a run with all that is known about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from analysis.image_effect.modality import TEXT_ONLY
from analysis.panels.errors import failures_of
from analysis.panels.modality import NAMES
from analysis.panels.wording import language_label
from analysis.run.corrections import read_corrections
from analysis.run.spans import read_spans
from analysis.views.marks import marked_text
from analysis.views.rendering import macros, render
from analysis.views.research.image_store import LARGE
from analysis.views.research.neighbours import Neighbour, neighbours, own_cosine
from analysis.views.research.sentence_html import Line, cards, line
from analysis.views.research.shares import shares_html
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import table_html
from mmner_core.errors import InputError
from mmner_core.text.words import join_words

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.run.answers import Answers

_ERRORS = ["error", "detail", "gold_type", "gold_text", "predicted_type", "predicted_text", "without_image", "seen"]
OTHER_COLOUR = "#999999"


def draw_inspector(request: TabRequest) -> RenderedPart:
    """Return what the run holds about the chosen sentence, empty while none is chosen."""
    sentence = request.view.sentence_id
    if sentence is None:
        return RenderedPart(html="")
    answers, row = request.answers, request.row_of(sentence)
    if row is None:
        raise InputError(
            f"Sentence {sentence} took no part under the image condition {request.condition!r} "
            f"of run {request.run.name!r}."
        )
    of_sentence = answers.sentences.iloc[row]
    photo = request.images.image_html(
        request.run, of_sentence["image_path"], side=LARGE, alternative=f"photo {of_sentence['image_id']}"
    )
    html = render(
        "research/inspector",
        again=join_words(answers.words_of(row))[0],
        place=f"Sentence {sentence} · {of_sentence['where']}",
        facts=_facts(answers, row, of_sentence),
        photo=photo,
        caption=_shown_photo(request, of_sentence),
        lines=_lines(request, answers, row, sentence),
        errors=_errors(request, sentence),
        entities=table_html(_entities(answers, row), "Entities and their probabilities"),
        shares=shares_html(request, sentence),
    )
    return RenderedPart(html=html)


def draw_neighbours(request: TabRequest) -> RenderedPart:
    """Return the nearest sentences by text and by photo, right and wrong ones apart."""
    sentence = request.view.sentence_id
    if sentence is None:
        return RenderedPart(html="")
    own = own_cosine(request.run, sentence)
    note = "" if own is None else f" Text and photo of this sentence: cosine {own:+.2f}."
    parts: list[dict[str, Any]] = []
    for side, what in (("text", "texts"), ("image", "photos")):
        try:
            found = neighbours(request.run, sentence, side)
        except InputError as error:
            parts.append({"what": what, "problem": str(error)})
            continue
        right, wrong = (_near(request, one) for one in found)
        parts.append({"what": what, "problem": "", "own": note, "side": side, "right": right, "wrong": wrong})
        note = ""
    return RenderedPart(html=render("research/neighbours", parts=parts))


def _near(request: TabRequest, found: list[Neighbour]) -> Markup:
    if not found:
        return macros("research/macros").how("None.")
    return cards(request, [(n.sentence_id, f"cosine {n.cosine:+.3f}".replace("-", "\u2212")) for n in found])


def _facts(answers: Answers, row: int, of_sentence: pd.Series) -> list[str]:
    facts = [language_label(of_sentence["language"])]
    facts += [f"{name}: {of_sentence[key]}" for name, key in (("data", "source"), ("pair", "kind")) if of_sentence[key]]
    for name, values, form in (("loss", answers.loss, ".2f"), ("image-text cosine", answers.cosine, "+.2f")):
        if values is not None and not np.isnan(values[row]):
            facts.append(f"{name} {values[row]:{form}}".replace("-0", "\u22120"))
    return facts


def _shown_photo(request: TabRequest, of_sentence: pd.Series) -> str:
    if not of_sentence["image_id"]:
        return "shown no photo"
    condition = NAMES.get(request.condition, request.condition)
    return f"{of_sentence['image_id']}, under the condition “{condition}”"


def _lines(request: TabRequest, answers: Answers, row: int, sentence: int) -> list[Line]:
    colours = request.colours
    lines = [
        line("gold", answers, answers.gold, row, colours),
        line("predicted", answers, answers.predicted, row, colours, answers.confidence),
    ]
    if (tags := _corrected(request, sentence)) is not None:
        (corrected,) = read_spans([*[[]] * row, tags])
        types = {t: colours.get(t, OTHER_COLOUR) for t in corrected.types}
        lines.insert(1, line("corrected", answers, corrected, row, types))
    if (read := answers.shown_words_of(row)) != answers.words_of(row):
        lines.insert(1, ("as read", marked_text(" ".join(read), (), {})))
    others = [("without the image", request.run, TEXT_ONLY)] if TEXT_ONLY in request.run.conditions else []
    if request.other is not None:
        others.append((request.other.name, request.other, request.other.condition))
    for name, run, condition in others:
        theirs = run.answers(condition)
        place = request.row_of(sentence, theirs)
        if place is not None and theirs.words_of(place) == answers.words_of(row):
            types = {t: colours.get(t, OTHER_COLOUR) for t in theirs.predicted.types}
            lines.append(line(name, theirs, theirs.predicted, place, types, theirs.confidence))
    return lines


def _corrected(request: TabRequest, sentence: int) -> tuple[str, ...] | None:
    try:
        correction = read_corrections(request.run).of.get(sentence)
    except InputError:  # told where the gold can be corrected
        return None
    return None if correction is None else correction.tags


def _errors(request: TabRequest, sentence: int) -> Markup:
    failures = failures_of(request.run, request.condition)
    mine = failures[failures["sentence_id"] == sentence]
    if mine.empty:
        return macros("research/macros").how("Nothing: every entity of this sentence is right.")
    return table_html(mine[_ERRORS], "What went wrong")


def _entities(answers: Answers, row: int) -> pd.DataFrame:
    """Return every gold and predicted entity of a sentence with its probability, one row per span and type."""
    rows: dict[tuple[int, int, str], dict[str, object]] = {}
    sides = (("gold", answers.gold, answers.gold_confidence), ("predicted", answers.predicted, answers.confidence))
    for side, spans, probability in sides:
        texts, types = spans.texts(answers.words), spans.type_names()
        for i in range(*np.searchsorted(spans.sentence, [row, row + 1]).tolist()):
            entry = rows.setdefault(
                (int(spans.start[i]), int(spans.end[i]), types[i]),
                {"name": texts[i], "type": types[i], "gold": "", "predicted": "", "probability": np.nan},
            )
            entry[side] = "yes"
            if probability is not None:
                entry["probability"] = float(probability[i])
            if side == "predicted" and answers.runner_up is not None and answers.runner_up_confidence is not None:
                entry["runner_up"] = f"{answers.runner_up[i]} {answers.runner_up_confidence[i]:.2f}"
    return pd.DataFrame(
        [rows[key] for key in sorted(rows)], columns=["name", "type", "gold", "predicted", "probability", "runner_up"]
    )

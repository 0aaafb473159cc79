"""A sentence of a run as HTML: gold over prediction in two lines of marks, and cards with its image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from markupsafe import Markup

from analysis.panels.wording import language_name
from analysis.views.marks import Mark, marked_text
from analysis.views.research.rendering import render, render_macro

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.spans import Spans
    from analysis.views.research.tab_request import TabRequest


def word_places(words: Sequence[str]) -> list[tuple[int, int]]:
    """Return where each word stands in the words joined by one space."""
    ends = np.cumsum([len(word) + 1 for word in words]) - 1
    return [(int(end) - len(word), int(end)) for end, word in zip(ends, words, strict=True)]


def span_marks(spans: Spans, row: int, words: Sequence[str], confidence: np.ndarray | None = None) -> list[Mark]:
    """Return the marks of one sentence's entities in its words joined by one space; empty words mark nothing."""
    places = word_places(words)
    first, last = np.searchsorted(spans.sentence, [row, row + 1]).tolist()
    marks = []
    for i in range(first, last):
        begin, end = places[spans.start[i]][0], places[spans.end[i] - 1][1]
        sure = None if confidence is None or np.isnan(confidence[i]) else float(confidence[i])
        if end > begin:
            marks.append(Mark(start=begin, end=end, type=spans.types[spans.type[i]], confidence=sure))
    return marks


def two_lines(answers: Answers, row: int, colours: dict[str, str], *, sure: bool = True) -> str:
    """Return gold over prediction; ``sure`` writes the probability into the marks of the prediction."""
    confidence = answers.confidence if sure else None
    lines = (
        line_html("gold", answers, answers.gold, row, colours),
        line_html("predicted", answers, answers.predicted, row, colours, confidence),
    )
    return render_macro("lines", lines=Markup("".join(lines)))


def line_html(
    name: str, answers: Answers, spans: Spans, row: int, colours: dict[str, str], confidence: np.ndarray | None = None
) -> str:
    """Return one line: the sentence with the marks of ``spans``."""
    words = answers.words_of(row)
    text = marked_text(" ".join(words), span_marks(spans, row, words, confidence), colours)
    return render_macro("line", name=name, text=Markup(text))


def plain_line(name: str, text: str) -> str:
    """Return one line of a text without marks."""
    return render_macro("line", name=name, text=Markup(marked_text(text, (), {})))


def cards(request: TabRequest, items: Iterable[tuple[int, str]]) -> str:
    """Return a list of sentences under the condition that is shown.

    Args:
        request: gives run, photos and condition.
        items: per card the sentence's id and what to say of it, plain text.
    """
    return render("cards", cards=[card for item in items if (card := _card(request, *item))])


def _card(request: TabRequest, sentence: int, note: str) -> dict[str, Any]:
    """Return what a card shows; nothing of a sentence that took no part."""
    answers, row = request.answers, request.row_of(sentence)
    if row is None:
        return {}
    of_sentence = answers.sentences.iloc[row]
    return {
        "id": sentence,
        "photo": Markup(request.images.image_html(request.run, of_sentence["image_path"])),
        "note": note,
        "lines": Markup(two_lines(answers, row, request.colours)),
        "place": f"{of_sentence['where']} · {language_name(of_sentence['language'])}",
    }


def pager(what: str, parameter: str, number: int, pages: int, total: str) -> str:
    """Return buttons to turn pages; empty where there is one page only.

    Args:
        what: the pages are of, for screen readers.
        parameter: of the address.
        number: of this page, from 1.
        pages: how many there are.
        total: what is paged, in words.
    """
    if pages < 2:
        return ""
    shown = f"Page {number:,} of {pages:,} · {total}"
    return render_macro("pager", what=what, parameter=parameter, number=number, pages=pages, shown=shown)

"""A sentence of a run as HTML: gold over prediction in two lines of marks, and cards with its image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from analysis.panels.wording import language_label
from analysis.views.marks import Mark, marked_text
from analysis.views.rendering import macros, render

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.run.answers import Answers
    from analysis.run.spans import Spans
    from analysis.views.research.tab_request import TabRequest

Line = tuple[str, "Markup"]
"""What a line of a sentence is called, and the sentence with its marks."""


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


def two_lines(answers: Answers, row: int, colours: dict[str, str], *, sure: bool = True) -> Markup:
    """Return gold over prediction; ``sure`` writes the probability into the marks of the prediction."""
    confidence = answers.confidence if sure else None
    lines = (
        line("gold", answers, answers.gold, row, colours),
        line("predicted", answers, answers.predicted, row, colours, confidence),
    )
    return macros("research/macros").lines(lines)


def line(
    name: str, answers: Answers, spans: Spans, row: int, colours: dict[str, str], confidence: np.ndarray | None = None
) -> Line:
    """Return one line: the sentence with the marks of ``spans``."""
    words = answers.words_of(row)
    return name, marked_text(" ".join(words), span_marks(spans, row, words, confidence), colours)


def cards(request: TabRequest, items: Iterable[tuple[int, str]]) -> Markup:
    """Return a list of sentences under the condition that is shown.

    Args:
        request: gives run, photos and condition.
        items: per card the sentence's id and what to say of it, plain text.
    """
    return render("research/cards", cards=[card for item in items if (card := _card(request, *item))])


def _card(request: TabRequest, sentence: int, note: str) -> dict[str, Any]:
    """Return what a card shows; nothing of a sentence that took no part."""
    answers, row = request.answers, request.row_of(sentence)
    if row is None:
        return {}
    of_sentence = answers.sentences.iloc[row]
    return {
        "id": sentence,
        "photo": request.images.image_html(request.run, of_sentence["image_path"]),
        "note": note,
        "lines": two_lines(answers, row, request.colours),
        "place": f"{of_sentence['where']} · {language_label(of_sentence['language'])}",
    }


def pager(what: str, parameter: str, number: int, pages: int, total: str) -> Markup:
    """Return buttons to turn pages; nothing where there is one page only.

    Args:
        what: the pages are of, for screen readers.
        parameter: of the address.
        number: of this page, from 1.
        pages: how many there are.
        total: what is paged, in words.
    """
    return macros("research/macros").pager(what, parameter, number, pages, total)

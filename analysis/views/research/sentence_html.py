"""A sentence of a run as HTML: gold over prediction in two lines of marks, and cards with its image."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np

from analysis.panels.wording import language_name
from analysis.views.marks import Mark, escape_html, marked_text
from analysis.views.research.tables import set_attribute

if TYPE_CHECKING:
    from analysis.run.answers import Answers
    from analysis.run.spans import Spans
    from analysis.views.research.tab_request import TabRequest

_LINES = '<div class="wb-lines">{lines}</div>'
_LINE = '<div class="wb-line"><span class="wb-line-name">{name}</span>{text}</div>'
_CARD = """<li class="wb-item"><button type="button" class="wb-item-photo" {set} aria-label="Inspect sentence {id}">
{photo}</button><div class="wb-item-body">{note}{lines}<p class="wb-item-place">{place}
<button type="button" class="wb-quiet" {set}>Inspect</button></p></div></li>"""
_CARDS = '<ol class="wb-items">{cards}</ol>'
_PAGER = """<nav class="wb-pager" aria-label="Pages of {what}"><button type="button" {before}{first}>Previous</button>
<span>{shown}</span><button type="button" {after}{last}>Next</button></nav>"""


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
    return _LINES.format(
        lines=line_html("gold", answers, answers.gold, row, colours)
        + line_html("predicted", answers, answers.predicted, row, colours, answers.confidence if sure else None)
    )


def line_html(
    name: str, answers: Answers, spans: Spans, row: int, colours: dict[str, str], confidence: np.ndarray | None = None
) -> str:
    """Return one line: the sentence with the marks of ``spans``."""
    words = answers.words_of(row)
    text = marked_text(" ".join(words), span_marks(spans, row, words, confidence), colours)
    return _LINE.format(name=name, text=text)


def cards(request: TabRequest, items: Iterable[tuple[int, str]]) -> str:
    """Return a list of sentences under the condition that is shown.

    Args:
        request: gives run, photos and condition.
        items: per card the sentence's id and what to say of it, plain text.
    """
    return _CARDS.format(cards="".join(_card(request, sentence, note) for sentence, note in items))


def _card(request: TabRequest, sentence: int, note: str) -> str:
    answers, row = request.answers, request.row_of(sentence)
    if row is None:
        return ""
    of_sentence = answers.sentences.iloc[row]
    place = f"{of_sentence['where']} · {language_name(of_sentence['language'])}"
    return _CARD.format(
        set=set_attribute(row=sentence),
        id=sentence,
        photo=request.images.image_html(request.run, of_sentence["image_path"]),
        note=f'<p class="wb-item-note">{escape_html(note)}</p>' if note else "",
        lines=two_lines(answers, row, request.colours),
        place=escape_html(place),
    )


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
    return _PAGER.format(
        what=what,
        before=set_attribute(**{parameter: number - 1}),
        after=set_attribute(**{parameter: number + 1}),
        first=" disabled" if number <= 1 else "",
        last=" disabled" if number >= pages else "",
        shown=escape_html(f"Page {number:,} of {pages:,} · {total}"),
    )

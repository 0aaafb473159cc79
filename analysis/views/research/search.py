"""The photo search of the Embedding tab: a typed text and the nearest images of the run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from analysis.panels.wording import counted, language_label
from analysis.views.rendering import render
from analysis.views.research.photo_search import FoundPhoto, PhotoVectors
from analysis.views.research.tab_request import RenderedPart, TabRequest

SHOWN = 12
SENTENCES = 3  # of one photo
_MOST_CHARACTERS = 1000


def draw_search(_: TabRequest) -> RenderedPart:
    """Return the field that a text is typed into; what is found is a part of its own, so that the field stays."""
    return RenderedPart(html=render("research/search", most=_MOST_CHARACTERS))


def draw_found(request: TabRequest) -> RenderedPart:
    """Return the nearest photos, empty while no text is asked for.

    Raises:
        InputError: if the run has no photos' vectors or was made by another model, or the text cannot be used.
    """
    text, language = request.view.ask.strip(), request.view.language
    if not text:
        return RenderedPart(html="")
    photos = request.run.remember("photo vectors", lambda: PhotoVectors.of(request.run))
    found, n = photos.nearest(request.model.text_vector(request.run, text), language, most=SHOWN)
    of_language = f" with sentences in {language_label(language)}" if language else ""
    told = f"{counted(len(found), 'photo')} nearest to “{text}”, of {n:,}{of_language}"
    return RenderedPart(
        html=render("research/found_photos", told=told, photos=[_card(request, photo) for photo in found])
    )


def _card(request: TabRequest, photo: FoundPhoto) -> dict[str, Any]:
    more = len(photo.sentences) - SENTENCES
    return {
        "id": photo.sentences[0],
        "html": request.images.image_html(request.run, photo.path),
        "cosine": f"{photo.cosine:+.3f}".replace("-", "\u2212"),
        "sentences": list(_sentences(request, photo.sentences[:SENTENCES])),
        "more": counted(more, "more sentence") if more > 0 else "",
    }


def _sentences(request: TabRequest, sentences: Sequence[int]) -> Iterator[dict[str, Any]]:
    """Yield what is shown of sentences, without those that the chosen condition lacks."""
    answers = request.answers
    for sentence in sentences:
        row = request.row_of(sentence)
        if row is not None:
            code = answers.sentences["language"].iloc[row]
            text = " ".join(answers.words_of(row))
            yield {"id": sentence, "code": code, "text": text, "language": language_label(code)}

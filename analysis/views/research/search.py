"""A text typed into the Embedding tab, and the photos of the run that lie nearest to it."""

from __future__ import annotations

from analysis.panels.wording import counted, language_name
from analysis.views.marks import escape_html
from analysis.views.research.photo_search import FoundPhoto, PhotoVectors
from analysis.views.research.tab_request import RenderedPart, TabRequest
from analysis.views.research.tables import set_attribute

SHOWN = 12
SENTENCES = 3  # of one photo
_MOST_CHARACTERS = 1000
_SEARCH = """<header class="wb-panel-head"><h3>Find photos by text</h3></header>
<p class="wb-how">Write a text in English, French, German or Spanish and press Enter: the loaded model reads it, and the
photos of this run come by the cosine of text and photo in the contrastive space, nearest first.</p>
<label class="wb-choice wb-search">Text to find photos by
<input type="search" data-state="ask" maxlength="{most}" autocomplete="off" dir="auto"></label>"""
_FOUND = """<section class="wb-list" aria-label="Photos found"><header class="wb-panel-head"><h4>Photos found</h4>
<button type="button" class="wb-quiet" {close}>Close</button></header><p class="wb-total" role="status">{told}</p>
<ol class="wb-items">{cards}</ol></section>"""
_CARD = """<li class="wb-item"><button type="button" class="wb-item-photo" {set} aria-label="Inspect sentence {id}">
{photo}</button><div class="wb-item-body"><p class="wb-item-note">cosine {cosine}</p>{sentences}{rest}</div></li>"""
_SENTENCE = """<p class="wb-found-text" lang="{code}" dir="auto">{text}</p><p class="wb-item-place">{language}
<button type="button" class="wb-quiet" {set} aria-label="Inspect sentence {id}">Inspect</button></p>"""


def draw_search(_: TabRequest) -> RenderedPart:
    """Return the field that a text is typed into; what is found is a part of its own, so that the field stays."""
    return RenderedPart(html=_SEARCH.format(most=_MOST_CHARACTERS))


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
    of_language = f" with sentences in {language_name(language)}" if language else ""
    told = f"{counted(len(found), 'photo')} nearest to “{text}”, of {n:,}{of_language}"
    cards = "".join(_card(request, photo) for photo in found)
    return RenderedPart(html=_FOUND.format(told=escape_html(told), close=set_attribute(ask=None), cards=cards))


def _card(request: TabRequest, photo: FoundPhoto) -> str:
    first, more = photo.sentences[0], len(photo.sentences) - SENTENCES
    return _CARD.format(
        set=set_attribute(row=first),
        id=first,
        photo=request.images.image_html(request.run, photo.path),
        cosine=f"{photo.cosine:+.3f}".replace("-", "\u2212"),
        sentences="".join(_sentence(request, sentence) for sentence in photo.sentences[:SENTENCES]),
        rest=f'<p class="wb-item-place">and {counted(more, "more sentence")}</p>' if more > 0 else "",
    )


def _sentence(request: TabRequest, sentence: int) -> str:
    answers, row = request.answers, request.row_of(sentence)
    if row is None:  # the address asks for a condition without it
        return ""
    code = answers.sentences["language"].iloc[row]
    return _SENTENCE.format(
        code=escape_html(code),
        text=escape_html(" ".join(answers.words_of(row))),
        language=escape_html(language_name(code)),
        set=set_attribute(row=sentence),
        id=sentence,
    )

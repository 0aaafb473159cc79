"""What may be asked further once there is an answer: its words, with parts of the photo hidden, a second answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gradio as gr

from analysis.conditions.hidden_cells import HiddenCells
from analysis.views import page
from analysis.views.heat_map.entity_map import entity_at
from analysis.views.heat_map.rendered import MapControls, RenderedHeatMap, render_requested_heat_map
from analysis.views.heat_map.side_by_side import ask_kinds_html, kinds_html
from analysis.views.questions import TagAnswer
from analysis.views.service import TagQuestion, TagService, user_message
from analysis.views.tag import painting
from analysis.views.tag.comparison import compare
from analysis.views.tag.comparison_view import comparison_html
from analysis.views.tag.word_view import ask_words_html, words_html
from analysis.views.wiring.blocks import html, together, uploaded
from mmner_core.errors import InputError

Pair = tuple[TagQuestion, TagQuestion, tuple[str, str]]
"""Two questions and what to call their answers."""
_SAME = ("The same model", "")


class FurtherQuestions:
    """The lower end of the first tab's result.

    Args:
        service: the models.
        question: the last question.
        entity: number of the name that is chosen.
    """

    def __init__(self, service: TagService, question: gr.State, entity: gr.State) -> None:
        self.service = service
        self.pairs = {name: gr.State(None) for name in ("hidden", "second")}
        self.kinds = html(js_on_load=page.asset("tag/asking.js"), elem_id="wb-kinds")
        self.words = html(js_on_load=page.asset("tag/asking.js"), elem_id="wb-words")
        self.painting = html(js_on_load=page.asset("tag/painting.js"), elem_id="wb-painting")
        self.painted = html(js_on_load=page.asset("tag/picking.js"), elem_id="wb-painted")
        with gr.Accordion(
            "Ask again with another photo or model, side by side", open=False, visible=False, elem_id="wb-second"
        ) as self.second:
            self._build_second()
        self.of_name = [self.kinds, self.words]
        self.outputs = [*self.of_name, self.painting, self.painted, self.second, self.compared, *self.pairs.values()]
        self._wire(question, entity)

    def _build_second(self) -> None:
        models = list(self.service.pool.names)
        self.photo = gr.Image(
            label="Second photo",
            sources=["upload", "clipboard"],
            type="filepath",
            height=180,
            elem_id="wb-second-photo",
            placeholder="Drop another photo here, or leave it empty for the same one",
        )
        with gr.Row(elem_classes="wb-controls"):
            self.model = gr.Dropdown(
                [_SAME, *((name, name) for name in models)], value="", label="Model", visible=len(models) > 1
            )
            self.without = gr.Checkbox(label="Without any photo")
        self.run = gr.Button("Ask again and compare", elem_id="wb-compare")
        self.compared = html(js_on_load=page.asset("tag/picking.js"), elem_id="wb-compared")

    def _wire(self, question: gr.State, entity: gr.State) -> None:
        def on(shown: gr.HTML) -> dict[str, Any]:
            quiet = {"api_visibility": "private", "preprocess": False, "show_progress_on": shown}
            return quiet | together(self.service.config)

        self.kinds.select(self.show_kinds, [question, entity], self.kinds, **on(self.kinds))
        self.words.select(self.show_words, [question, entity], self.words, **on(self.words))
        painted = [self.painting, self.painted, self.pairs["hidden"]]
        self.painting.select(self.paint, question, painted, **on(self.painted))
        self.painted.select(self.pick, self.pairs["hidden"], self.painted, **on(self.painted))
        asked = [question, self.photo, self.model, self.without]
        self.run.click(self.ask_second, asked, [self.compared, self.pairs["second"]], **on(self.compared))
        self.compared.select(self.pick, self.pairs["second"], self.compared, **on(self.compared))

    def fresh(self, answer: TagAnswer | None, entity: int = 0) -> dict[Any, Any]:
        """Return what is to be shown once there is a new answer, None for none."""
        return {
            self.kinds: _ask_kinds(answer, entity),
            self.words: _ask_words(answer, entity),
            self.painting: painting.open_html() if _has_map(answer) else "",
            self.painted: "",
            self.second: gr.Accordion(visible=answer is not None, open=False),
            self.compared: "",
            **dict.fromkeys(self.pairs.values()),
        }

    def renew(self, question: TagQuestion | None, entity: int) -> tuple[Any, Any]:
        """Offer the kinds of map and the words of another name; what is wrong is told in the place of its map."""
        try:
            answer = None if question is None else self.service.answer(question)
        except InputError:
            answer = None
        return (gr.skip(), gr.skip()) if answer is None else (_ask_kinds(answer, entity), _ask_words(answer, entity))

    def show_kinds(self, question: TagQuestion | None, entity: int) -> str:
        """Show the chosen name's heat maps of every kind."""

        def say() -> str:
            asked = _known(question)
            answer = self.service.answer(asked)
            name, source = entity_at(answer.prediction, entity), answer.source

            def draw(kind: str) -> RenderedHeatMap:
                return render_requested_heat_map(self.service, asked, entity, MapControls(kind=kind))

            return kinds_html(name.text, draw, {} if source is None else source.measured.pointing)

        return _told(say)

    def show_words(self, question: TagQuestion | None, entity: int) -> str:
        """Say which words the chosen name rests on."""

        def say() -> str:
            asked = _known(question)
            answer = self.service.answer(asked)
            found = self.service.word_saliency(asked, answer, entity)
            return words_html(answer.prediction, entity_at(answer.prediction, entity), found)

        return _told(say)

    def paint(self, event: gr.EventData, question: TagQuestion | None) -> tuple[Any, Any, Any]:
        """Open the raster over the photo, or ask again with cells hidden."""
        if event.ask == "open":
            return _told(lambda: self._raster(_known(question))), "", None
        pair: list[Pair] = []

        def say() -> str:
            asked, hidden = _known(question), HiddenCells.read(event.rows)
            pair.append((asked, replace(asked, hidden=hidden), ("With the whole photo", painting.hidden_title(hidden))))
            return self._compared(pair[0], 0)

        return gr.skip(), _told(say), pair[0] if pair else None

    def ask_second(
        self, question: TagQuestion | None, photo: dict[str, Any] | None, model: str | None, without: bool
    ) -> tuple[str, Pair | None]:
        """Ask the last question again with another photo, none, or of another model, and show both answers."""
        pair: list[Pair] = []

        def say() -> str:
            pair.append(self._second(_known(question), uploaded(photo), model, without=bool(without)))
            return self._compared(pair[0], 0)

        return _told(say), pair[0] if pair else None

    def pick(self, event: gr.EventData, pair: Pair | None) -> str:
        """Show the heat maps of another name of two answers."""

        def say() -> str:
            if pair is None:
                raise InputError("These answers are no longer known here; ask again.")
            return self._compared(pair, event.entity)

        return _told(say)

    def _second(self, one: TagQuestion, photo: str | None, model: str | None, *, without: bool) -> Pair:
        other = replace(one, photo=None if without else photo or one.photo, model=model or one.model)
        if other == one:
            raise InputError("Add a second photo, choose another model, or ask without any photo.")
        titles = ["First answer", "Second answer"]
        if other.model != one.model:
            titles = [self.service.pool.resolve(question.model) for question in (one, other)]
        if other.photo != one.photo:
            seen = ("first photo" if one.photo else "no photo", "second photo" if other.photo else "no photo")
            titles = [f"{title}, {what}" for title, what in zip(titles, seen, strict=True)]
        return one, other, (titles[0], titles[1])

    def _raster(self, question: TagQuestion) -> str:
        answer = self.service.answer(question)
        if answer.photo is None:
            raise InputError("There is no photo to hide a part of; add one and ask again.")
        return painting.painting_html(answer.photo)

    def _compared(self, pair: Pair, selected: Any) -> str:
        one, other, titles = pair
        found = compare(self.service, one, other)
        if not isinstance(selected, int) or not 0 <= selected < max(1, len(found.changes)):
            raise InputError(f"The name is given by its number, from 0 to {len(found.changes) - 1}.")
        return comparison_html(found, titles, selected)


def _has_map(answer: TagAnswer | None) -> bool:
    return answer is not None and answer.photo is not None and bool(answer.prediction.attention)


def _ask_kinds(answer: TagAnswer | None, entity: int) -> str:
    """Return the button that asks for every kind of map of a name, nothing where there is no name or no map."""
    if answer is None or not answer.prediction.entities or not _has_map(answer):
        return ""
    return ask_kinds_html(entity_at(answer.prediction, entity).text)


def _ask_words(answer: TagAnswer | None, entity: int) -> str:
    """Return the button that asks which words a name rests on, nothing where there is no name."""
    if answer is None or not answer.prediction.entities:
        return ask_words_html(None)
    return ask_words_html(entity_at(answer.prediction, entity))


def _known(question: TagQuestion | None) -> TagQuestion:
    """Return the last question; the server may have been started anew, or many visitors have come since."""
    if question is None:
        raise InputError("Your question is no longer known here; press “Find the names” again.")
    return question


def _told(say: Callable[[], str]) -> str:
    """Return what is said, or the sentence about a problem."""
    try:
        return say()
    except Exception as error:
        return painting.painting_problem_html(user_message(error))

"""The first tab: its components, and what happens when they are used."""

from __future__ import annotations

from typing import Any

import gradio as gr

from analysis.palette import type_colours
from analysis.views import page
from analysis.views.heat_map import caption
from analysis.views.heat_map.entity_map import MEAN, best_stream
from analysis.views.heat_map.kinds import ATTENTION, kind_choices
from analysis.views.heat_map.rendered import MapControls, head_choices, render_requested_heat_map, stream_choices
from analysis.views.research.library import RunLibrary
from analysis.views.service import TagQuestion, TagService, user_message
from analysis.views.tag import examples, result
from analysis.views.tag.choices import CONVENTIONS, LANGUAGES, convention_choices
from analysis.views.tag.least_confidence import LeastConfidence, slider_html
from analysis.views.tag.link import LinkedQuestion, link_html, missing_photo_html
from analysis.views.wiring.blocks import QUIET, html, together, uploaded
from analysis.views.wiring.further import FurtherQuestions
from mmner_core.errors import InputError
from mmner_core.serving.gradio_bounds import IN_TURN


class TagTab:
    """The first tab: a sentence and a photo in, marked names and heat maps out."""

    def __init__(self, service: TagService, library: RunLibrary) -> None:
        def least(asked: dict[str, Any]) -> str:
            return worth.html(asked)

        worth = LeastConfidence(library)
        self.service = service
        self.question = gr.State(None)  # the last question answered; its answer is kept by the service
        self.entity = gr.State(0)
        self.linked = gr.State(None)  # what the link tells that the page was opened by
        self.link = html(js_on_load=page.asset("tag/link.js"), visible="hidden")
        with gr.Column(elem_classes="wb-card", elem_id="wb-examples"):
            html(page.heading("Try an example, or start with step 1"))
            self.strip = html(examples.strip_html(), js_on_load=page.asset("tag/picking.js"))
        with gr.Row(elem_classes="wb-columns"):
            with gr.Column(scale=5, elem_classes="wb-card", elem_id="wb-inputs"):
                self._build_inputs()
            with gr.Column(scale=7, elem_classes="wb-card", elem_id="wb-output"):
                html(page.heading("Read the result", step=3))
                self.result = html(
                    result.invitation_html(), js_on_load=page.asset("tag/picking.js"), elem_id="wb-result"
                )
                html(slider_html(), js_on_load=page.asset("tag/least_confidence.js"), server_functions=[least])
                self._build_map()
                self.further = FurtherQuestions(service, self.question, self.entity)
        self._wire()

    def _build_inputs(self) -> None:
        html(page.heading("Write or paste a sentence", step=1))
        self.sentence = gr.Textbox(
            label="Sentence",
            placeholder="who else loves Washington? · Qui a vu Jordan hier soir ? · …",
            lines=3,
            max_lines=12,
            elem_id="wb-sentence",
        )
        html(page.heading("Add a photo, if there is one", step=2))
        self.photo = gr.Image(
            label="Photo",
            sources=["upload", "clipboard", "webcam"],
            type="filepath",
            height=220,
            elem_id="wb-photo",
            placeholder="Drop a photo here, or click to choose one",
            buttons=["fullscreen"],
        )
        models = list(self.service.pool.names)
        several = len(models) > 1
        self.model = gr.Dropdown(models, value=models[0], label="Model", visible=several, elem_id="wb-model")
        self.run = gr.Button("Find the names", variant="primary", elem_id="wb-run")
        with gr.Accordion("Settings", open=False, elem_id="wb-settings"):
            self.language = gr.Dropdown(LANGUAGES, value="auto", label="Language of the sentence")
            self.convention = gr.Dropdown(
                CONVENTIONS,
                value="",
                label="What counts as a name",
                info="Encyclopaedias and photo captions mark names differently; the model knows both habits.",
            )
        self.status = html(page.loading_html())

    def _build_map(self) -> None:
        with gr.Column(visible=False, elem_id="wb-map") as self.map:
            html(page.heading("Click a name to see where the model looked for it", step=4))
            self.overlay = gr.Image(
                label="Heat map",
                show_label=False,
                type="pil",
                interactive=False,
                buttons=["download", "fullscreen"],
                elem_id="wb-overlay",
            )
            self.caption = html()
            self.kind = gr.Radio(kind_choices({}), value=ATTENTION, label="Kind of map", elem_id="wb-kind")
            with gr.Row(elem_classes="wb-controls") as self.of_attention:
                self.stream = gr.Radio([], label="Image stream")
                self.head = gr.Dropdown([("Mean over heads", MEAN)], value=MEAN, label="Attention head")
            self.opacity = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity of the map")
            with gr.Row(elem_classes="wb-controls"):
                self.cells = gr.Checkbox(label="Show the cells the model has, unsmoothed")
                self.shuffled = gr.Checkbox(label="Random map: the same values at shuffled places")

    def _wire(self) -> None:
        asked = [self.sentence, self.photo, self.language, self.convention, self.model]
        style = [self.opacity, self.cells, self.shuffled]
        drawn = [self.overlay, self.caption]
        choices = [self.kind, self.of_attention, self.stream, self.head]
        shown = [self.question, self.entity, self.result, self.map, *choices, *drawn, *self.further.outputs]
        # Without gradio's preprocessing the photo arrives as uploaded, so that one decoder, ours, judges every file.
        model: dict[str, Any] = {"api_visibility": "private", "show_progress_on": self.result, "preprocess": False}
        model |= together(self.service.config)
        self.answered = [*asked, *style], shown, model
        self.run.click(self.show, [*asked, *style], shown, **model)
        told = [*asked, self.linked]
        self.link.select(self.open_link, None, told, **QUIET).then(
            self.show_linked, [self.linked, *asked, *style], shown, **model
        )
        self.strip.select(self.open_example, None, asked[:3], **QUIET).then(self.show, [*asked, *style], shown, **model)
        chosen = [self.question, self.stream, self.head, *style, self.kind]
        # Gradio would judge the controls by choices that it forgets with the visit, and not let our sentence be told.
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        # Clicks made while a map is being drawn are answered in turn; other modes drop them or repeat the first. One
        # at a time in a visit, or a first map that takes longer would cover that of the last click.
        turns: dict[str, Any] = {"concurrency_id": IN_TURN, "trigger_mode": "multiple"}
        self.result.select(self.pick, chosen, [self.entity, *drawn, *self.further.of_name], **turns, **raw)
        self.kind.input(lambda kind: gr.Row(visible=kind == ATTENTION), self.kind, self.of_attention, **raw)
        self.model.input(self.ready, self.model, [self.status, self.convention], **QUIET)
        controls = [
            self.kind.input,
            self.stream.input,
            self.head.input,
            self.opacity.release,
            self.cells.input,
            self.shuffled.input,
        ]
        gr.on(controls, self.draw, [self.entity, *chosen], drawn, trigger_mode="always_last", **raw)

    def ready(self, model: str | None = None) -> tuple[str, Any]:
        """Wait for a model; return its status and the conventions it knows."""
        try:
            tagger = self.service.tagger(model)
        except Exception as error:
            return page.broken_html(user_message(error)), gr.skip()
        choices = convention_choices(tagger.conventions)
        name = self.service.pool.resolve(model) if len(self.service.pool.names) > 1 else ""
        return page.ready_html(tagger.digest, name), gr.Dropdown(choices=choices, value="", visible=len(choices) > 1)

    def open_example(self, event: gr.EventData) -> tuple[str, str | None, str]:
        """Put the picked example into the inputs."""
        example = examples.example_by_number(str(event.example))
        if example is None:
            raise InputError(f"There is no example {str(event.example)[:20]}.")
        return example.text, str(example.photo) if example.photo else None, "auto"

    def open_link(self, event: gr.EventData) -> tuple[Any, ...]:
        """Put what a link tells into the inputs, and remember which name and map it shows."""
        linked = LinkedQuestion.read(event._data or {})
        if linked.model and linked.model not in self.service.pool.names:
            raise InputError(f"The link asks the model {linked.model[:40]!r}, which is not here.")
        photo = str(linked.photo) if linked.photo else None
        model = linked.model or next(iter(self.service.pool.names))
        return linked.text, photo, linked.language, linked.convention, model, linked

    def show_linked(self, linked: LinkedQuestion | None, *asked: Any) -> dict[Any, Any]:
        """Show the result that a link tells of, with its name and map."""
        if linked is None:
            return self.show(*asked)
        updates = self.show(*asked, entity=linked.entity, kind=linked.kind or ATTENTION)
        if linked.own_photo:
            updates[self.result] = missing_photo_html() + updates[self.result]
        return updates

    def show(
        self,
        text: str,
        photo: dict[str, Any] | None,
        language: str,
        convention: str,
        model: str | None,
        *style: Any,
        entity: int = 0,
        kind: str = ATTENTION,
    ) -> dict[Any, Any]:
        """Tag and show the result with a name's heat map; a problem becomes one sentence in its place."""
        try:
            question = TagQuestion.from_inputs(text, uploaded(photo), language, convention, model)
            answer = self.service.answer(question)
        except Exception as error:
            problem = {self.result: result.problem_html(user_message(error)), self.map: gr.Column(visible=False)}
            return problem | self.further.fresh(None)
        prediction, source = answer.prediction, answer.source
        entity = entity if entity < len(prediction.entities) else 0
        stream = best_stream(prediction) if prediction.entities else None
        updates = {
            self.question: question,
            self.entity: entity,
            self.result: result.result_html(
                prediction,
                type_colours(source.types if source else ()),
                selected=entity,
                source=source,
                link=link_html(question, answer.photo_digest),
            ),
            self.map: gr.Column(visible=stream is not None),
        } | self.further.fresh(answer, entity)
        if stream is None:
            return updates
        overlay, words = self.draw(entity, question, stream, MEAN, *style, kind)
        return updates | {
            self.kind: gr.Radio(kind_choices(source.measured.pointing if source else {}), value=kind),
            self.of_attention: gr.Row(visible=kind == ATTENTION),
            self.stream: gr.Radio(stream_choices(prediction), value=stream),
            self.head: gr.Dropdown(head_choices(prediction), value=MEAN),
            self.overlay: overlay,
            self.caption: words,
        }

    def pick(self, event: gr.EventData, question: TagQuestion | None, *controls: Any) -> tuple[Any, ...]:
        """Draw the map of the name that was clicked, and remember it."""
        overlay, words = self.draw(event.entity, question, *controls)
        return event.entity, overlay, words, *self.further.renew(question, event.entity)

    def draw(self, entity: int, question: TagQuestion | None, *controls: Any) -> tuple[Any, str]:
        """Draw one name's heat map over the photo, as the controls say; return it with its caption."""
        try:
            if question is None:  # the server was started anew, or many visitors came since
                raise InputError("Your question is no longer known here; press “Find the names” again.")
            drawn = render_requested_heat_map(self.service, question, entity, MapControls(*controls))
        except Exception as error:
            return gr.skip(), caption.problem_caption(user_message(error))
        return gr.Image(drawn.image, alt_text=drawn.alternative), drawn.caption

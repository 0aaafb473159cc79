"""The workbench in the browser: this file only wires gradio to `analysis.views`; run it with ``python app.py``."""

import argparse
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read while gradio is imported

import gradio as gr  # noqa: E402
from gradio.data_classes import FileData  # noqa: E402
from gradio.processing_utils import save_pil_to_cache  # noqa: E402
from gradio.utils import get_upload_folder  # noqa: E402

from analysis.views import caption, examples, page, result  # noqa: E402
from analysis.views.colours import type_colours  # noqa: E402
from analysis.views.heatmap import best_stream  # noqa: E402
from analysis.views.maps import MEAN, MapControls, draw_map, head_choices, stream_choices  # noqa: E402
from analysis.views.research import assets  # noqa: E402
from analysis.views.research.desk import ResearchDesk  # noqa: E402
from analysis.views.research.shell import TITLES, shell_html  # noqa: E402
from analysis.views.sentences import LANGUAGE_NAMES  # noqa: E402
from analysis.views.service import Answer, Question, TagService, told  # noqa: E402
from mmner_core.errors import InputError  # noqa: E402

CHECKPOINT = Path(__file__).resolve().parent / "checkpoints" / "mini"
LANGUAGES = [("Detect it", "auto"), *((name, code) for code, name in LANGUAGE_NAMES.items())]
CONVENTION_NAMES = {"wiki": "Encyclopaedia and news", "caption": "Captions and posts"}
# Handlers that run the model take turns: two at once on two cores would slow each other down.
TURNS: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 1}


def html(value: str = "", **options: Any) -> gr.HTML:
    """Return a component for our own markup, free of gradio's styles for running text."""
    return gr.HTML(value, apply_default_css=False, **options)


class TagTab:
    """The first tab: a sentence and a photo in, marked names and heat maps out."""

    def __init__(self, service: TagService) -> None:
        self.service = service
        self.question = gr.State(None)  # the last question answered; its answer is kept by the service
        self.entity = gr.State(0)
        with gr.Column(elem_classes="wb-card", elem_id="wb-examples"):
            html(page.heading("Try an example, or start with step 1"))
            self.strip = html(examples.strip_html(), js_on_load=page.picking_script())
        with gr.Row(elem_classes="wb-columns"):
            with gr.Column(scale=5, elem_classes="wb-card", elem_id="wb-inputs"):
                self._build_inputs()
            with gr.Column(scale=7, elem_classes="wb-card", elem_id="wb-output"):
                html(page.heading("Read the result", step=3))
                self.result = html(result.invitation_html(), js_on_load=page.picking_script(), elem_id="wb-result")
                self._build_map()
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
        self.run = gr.Button("Find the names", variant="primary", elem_id="wb-run")
        with gr.Accordion("Settings", open=False, elem_id="wb-settings"):
            self.language = gr.Dropdown(LANGUAGES, value="auto", label="Language of the sentence")
            self.convention = gr.Dropdown(
                [("Default of the model", "")],
                value="",
                label="What counts as a name",
                info="Encyclopaedias and picture captions mark names differently; the model knows both habits.",
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
            with gr.Row(elem_classes="wb-controls"):
                self.stream = gr.Radio([], label="Image stream")
                self.head = gr.Dropdown([("Mean over heads", MEAN)], value=MEAN, label="Attention head")
            self.opacity = gr.Slider(0, 1, 0.5, step=0.05, label="Opacity of the map")
            with gr.Row(elem_classes="wb-controls"):
                self.cells = gr.Checkbox(label="Show the cells the model has, unsmoothed")
                self.shuffled = gr.Checkbox(label="Random map: the same values at shuffled places")

    def _wire(self) -> None:
        asked = [self.sentence, self.photo, self.language, self.convention]
        style = [self.opacity, self.cells, self.shuffled]
        drawn = [self.overlay, self.caption]
        shown = [self.question, self.entity, self.result, self.map, self.stream, self.head, *drawn]
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        # Without gradio's preprocessing the photo arrives as uploaded, so that one decoder, ours, judges every file.
        model: dict[str, Any] = {"api_visibility": "private", "show_progress_on": self.result, "preprocess": False}
        model |= TURNS
        self.run.click(self.show, [*asked, *style], shown, **model)
        self.strip.select(self.open_example, None, asked[:3], **quiet).then(self.show, [*asked, *style], shown, **model)
        chosen = [self.question, self.stream, self.head, *style]
        # Clicks made while a map is being drawn are answered in turn; other modes drop them or repeat the first.
        self.result.select(self.pick, chosen, [self.entity, *drawn], trigger_mode="multiple", **quiet)
        controls = [
            self.stream.input,
            self.head.input,
            self.opacity.release,
            self.cells.input,
            self.shuffled.input,
        ]
        gr.on(controls, self.draw, [self.entity, *chosen], drawn, trigger_mode="always_last", **quiet)

    def ready(self) -> tuple[str, Any]:
        """Wait for the model; return its status and the conventions it knows."""
        try:
            tagger = self.service.tagger()
        except Exception as error:
            return page.broken_html(told(error)), gr.skip()
        choices = [(CONVENTION_NAMES.get(name, name), name) for name in tagger.conventions]
        choices[:1] = [(label, "") for label, _ in choices[:1]]  # the first is the default, which needs no name
        return page.ready_html(tagger.digest), gr.Dropdown(choices=choices, visible=len(choices) > 1)

    def open_example(self, event: gr.EventData) -> tuple[str, str | None, str]:
        """Put the picked example into the inputs."""
        example = examples.example_by_number(str(event.example))
        if example is None:
            raise gr.Error(f"There is no example {event.example}.", print_exception=False)
        return example.text, str(example.photo) if example.photo else None, "auto"

    def show(
        self, text: str, photo: dict[str, Any] | None, language: str, convention: str, *style: Any
    ) -> dict[Any, Any]:
        """Tag and show the result with the first name's heat map; a problem becomes one sentence in its place."""
        try:
            question = Question.from_inputs(text, uploaded(photo), language, convention)
            prediction = self.service.answer(question).prediction
        except Exception as error:
            return {self.result: result.problem_html(told(error)), self.map: gr.Column(visible=False)}
        colours = type_colours(self.service.tagger().labels.types)
        stream = best_stream(prediction) if prediction.entities else None
        updates = {
            self.question: question,
            self.entity: 0,
            self.result: result.result_html(prediction, colours),
            self.map: gr.Column(visible=stream is not None),
        }
        if stream is None:
            return updates
        overlay, words = self.draw(0, question, stream, MEAN, *style)
        return updates | {
            self.stream: gr.Radio(stream_choices(prediction), value=stream),
            self.head: gr.Dropdown(head_choices(prediction, stream), value=MEAN),
            self.overlay: overlay,
            self.caption: words,
        }

    def pick(self, event: gr.EventData, *chosen: Any) -> tuple[int, Any, str]:
        """Draw the map of the name that was clicked, and remember it."""
        return event.entity, *self.draw(event.entity, *chosen)

    def draw(
        self, entity: int, question: Question, stream: str, head: str, opacity: float, cells: bool, shuffled: bool
    ) -> tuple[Any, str]:
        """Draw one name's heat map over the photo; return it with its caption."""
        controls = MapControls(stream=stream, head=head, opacity=opacity, cells=cells, shuffled=shuffled)
        try:
            drawn = draw_map(self.service.answer(question), entity, controls)
        except Exception as error:
            return gr.skip(), caption.problem_caption(told(error))
        return gr.Image(drawn.image, alt_text=drawn.alternative), drawn.caption


class ResearchTab:
    """A tab over run folders: its page asks for one part after the other as they come into view.

    What is shown stands in the address of the page, so no part has a state here.
    """

    def __init__(self, desk: ResearchDesk, name: str) -> None:
        def part(request: dict[str, Any]) -> dict[str, Any]:
            return desk.part(name, request)

        self.desk = desk
        library = f"gradio_api/file={assets.figure_library()}"
        self.page = html(shell_html(name, library), js_on_load=assets.tab_script(), server_functions=[part])

    def place_pair_of(self, tag_tab: TagTab) -> None:
        """Let the page place the pair that was last asked about in the first tab."""
        placed = html(js_on_load=assets.own_script(), visible="hidden")
        quiet: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
        self.page.select(self.place, tag_tab.question, placed, **quiet, **TURNS)

    def place(self, question: Question | None, event: gr.EventData) -> str:
        """Place the pair on the map of the run that the event names."""
        return self.desk.place(event.view, question)


def add_api(service: TagService) -> None:
    """Add the handlers meant for programs; those behind the buttons deal in HTML."""

    def ask(text: str, image: Any, language: str, convention: str) -> Answer:
        return service.answer(Question.from_inputs(text, uploaded(image), language, convention))

    def tag(text: str, image: FileData | None = None, language: str = "auto", convention: str = "") -> dict[str, Any]:
        """Find the names: text, language, entities with character offsets and confidence, notes."""
        with told_to_programs():
            return ask(text, image, language, convention).prediction.to_json()

    def heat_map(
        text: str, image: FileData, entity: int = 0, stream: str = "", head: str = MEAN, opacity: float = 0.5,
        cells: bool = False, shuffled: bool = False, language: str = "auto", convention: str = "",
    ) -> tuple[FileData, str]:  # fmt: skip
        """Draw the heat map of name number `entity` (from 0); return the picture and where it is brightest."""
        with told_to_programs():
            answer = ask(text, image, language, convention)
            stream = stream or best_stream(answer.prediction) or ""
            controls = MapControls(stream=stream, head=head, opacity=opacity, cells=cells, shuffled=shuffled)
            drawn = draw_map(answer, entity, controls)
        path = save_pil_to_cache(drawn.image, get_upload_folder(), format="webp")
        return FileData(path=path), drawn.alternative

    gr.api(tag, api_name="tag", **TURNS)
    gr.api(heat_map, api_name="heat_map", **TURNS)


def uploaded(image: dict[str, Any] | None) -> str | None:
    """Return the path of an uploaded file.

    Raises:
        InputError: if it is not an upload; gradio checks only paths that a caller declares to be files.
    """
    if image is None:
        return None
    path = Path(str(image.get("path"))).resolve()
    if not path.is_relative_to(Path(get_upload_folder()).resolve()):
        raise InputError("The photo must be uploaded; a path on the server is not accepted.")
    return str(path)


@contextmanager
def told_to_programs() -> Iterator[None]:
    """Turn an error into the one sentence that a program calling us receives."""
    try:
        yield
    except Exception as error:
        raise gr.Error(told(error), print_exception=False) from error


def build_app(service: TagService, desk: ResearchDesk | None = None) -> gr.Blocks:
    """Build the page; the model is loaded when the page is first opened, or by ``service.start()`` before."""
    # Uploads are looked for every 10 minutes and removed after an hour.
    with gr.Blocks(title=page.TITLE, analytics_enabled=False, delete_cache=(600, 3600), fill_width=True) as app:
        html(page.header_html())
        desk = desk or ResearchDesk(service)
        with gr.Tabs(elem_id="wb-tabs"):
            with gr.Tab("Tag", id="tag", elem_id="wb-tab-tag"):
                tag_tab = TagTab(service)
            for name, title in TITLES.items():
                with gr.Tab(title, id=name, elem_id=f"wb-tab-{name}"):
                    research_tab = ResearchTab(desk, name)
                    if name == "embedding":
                        research_tab.place_pair_of(tag_tab)
        html(page.footer_html())
        add_api(service)
        app.load(
            tag_tab.ready,
            None,
            [tag_tab.status, tag_tab.convention],
            api_visibility="private",
            show_progress="hidden",
        )
    return app


def launch_options() -> dict[str, Any]:
    """Return what the page needs at launch: our head and theme, no fonts or scripts from outside, no sharing."""
    return {
        "head": page.head_html(),
        "theme": gr.themes.Base(font=page.FONTS, font_mono=page.MONO_FONTS),
        "share": False,
        "ssr_mode": False,
        "run_history": False,
        "enable_monitoring": False,
        "footer_links": [],
        "max_file_size": "30mb",
        "allowed_paths": [str(examples.DEMO / "photos"), str(assets.figure_library())],
    }


def main() -> None:
    """Serve the workbench on this machine."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, default=CHECKPOINT, help="folder of the model")
    parser.add_argument(
        "--runs", type=Path, action="append", default=[], help="a run, or a folder of runs, to look into; repeatable"
    )
    parser.add_argument(
        "--images", type=Path, action="append", default=[], help="a folder of photos that runs may show; repeatable"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=7860)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    service = TagService(arguments.checkpoint)
    service.start()
    desk = ResearchDesk(service, arguments.runs, arguments.images)
    desk.start()
    build_app(service, desk).launch(server_name=arguments.host, server_port=arguments.port, **launch_options())


if __name__ == "__main__":
    main()

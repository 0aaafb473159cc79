"""The workbench in the browser: this file only wires gradio to `analysis.views`; run it with ``python app.py``."""

import functools
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C while the libraries are loaded just ends it
os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read while gradio is imported

import gradio as gr  # noqa: E402
from gradio.data_classes import FileData  # noqa: E402
from gradio.exceptions import InvalidPathError  # noqa: E402
from gradio.processing_utils import save_pil_to_cache  # noqa: E402
from gradio.server_messages import ProcessCompletedMessage  # noqa: E402
from gradio.utils import get_upload_folder  # noqa: E402

from analysis.palette import FONTS, MONO_FONTS, type_colours  # noqa: E402
from analysis.views import caption, examples, page, result  # noqa: E402
from analysis.views.api import NOT_UPLOADED, Api, upload_path  # noqa: E402
from analysis.views.choices import CONVENTIONS, LANGUAGES, convention_choices  # noqa: E402
from analysis.views.heat_map_view import MapControls, head_choices, render_requested_heat_map, stream_choices  # noqa: E402
from analysis.views.heatmap import MEAN, best_stream  # noqa: E402
from analysis.views.kinds import ATTENTION, kind_choices  # noqa: E402
from analysis.views.research import assets  # noqa: E402
from analysis.views.research.controller import TabController  # noqa: E402
from analysis.views.research.shell import TITLES, shell_html  # noqa: E402
from analysis.views.service import Question, TagService, user_message  # noqa: E402
from mmner_core.errors import InputError  # noqa: E402
from mmner_core.serving.addresses import refuse_addresses  # noqa: E402
from mmner_core.serving.config import ServingConfig  # noqa: E402
from mmner_core.serving.faults import log_to_stderr, take_over_logs  # noqa: E402
from mmner_core.serving.fetch import Fetcher  # noqa: E402
from mmner_core.serving.gradio_bounds import IN_TURN, FairBlocks, bound_server  # noqa: E402
from mmner_core.serving.guard import OFF, guarded  # noqa: E402
from mmner_core.serving.options import read_config  # noqa: E402
from mmner_core.serving.process import end_process, own_environment, serving_process  # noqa: E402
from mmner_core.serving.quiet import libraries_hushed  # noqa: E402
from mmner_core.serving.reply import reply_schema  # noqa: E402
from mmner_core.serving.watchdog import LOST, Watchdog  # noqa: E402

log = logging.getLogger("app")
QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
DRAWN_AT_ONCE = 4  # heat maps; they are drawn without the model


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
        shown = [self.question, self.entity, self.result, self.map, *choices, *drawn]
        # Without gradio's preprocessing the photo arrives as uploaded, so that one decoder, ours, judges every file.
        model: dict[str, Any] = {"api_visibility": "private", "show_progress_on": self.result, "preprocess": False}
        model |= together(self.service.config)
        self.run.click(self.show, [*asked, *style], shown, **model)
        self.strip.select(self.open_example, None, asked[:3], **QUIET).then(self.show, [*asked, *style], shown, **model)
        chosen = [self.question, self.stream, self.head, *style, self.kind]
        # Gradio would judge the controls by choices that it forgets with the visit, and not let our sentence be told.
        raw: dict[str, Any] = {"preprocess": False, **QUIET}
        # Clicks made while a map is being drawn are answered in turn; other modes drop them or repeat the first. One
        # at a time in a visit, or a first map that takes longer would cover that of the last click.
        turns: dict[str, Any] = {"concurrency_id": IN_TURN, "trigger_mode": "multiple"}
        self.result.select(self.pick, chosen, [self.entity, *drawn], **turns, **raw)
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

    def show(
        self, text: str, photo: dict[str, Any] | None, language: str, convention: str, model: str | None, *style: Any
    ) -> dict[Any, Any]:
        """Tag and show the result with the first name's heat map; a problem becomes one sentence in its place."""
        try:
            question = Question.from_inputs(text, uploaded(photo), language, convention, model)
            answer = self.service.answer(question)
        except Exception as error:
            return {self.result: result.problem_html(user_message(error)), self.map: gr.Column(visible=False)}
        prediction, source = answer.prediction, answer.source
        colours = type_colours(source.types if source else ())
        stream = best_stream(prediction) if prediction.entities else None
        updates = {
            self.question: question,
            self.entity: 0,
            self.result: result.result_html(prediction, colours, source=source),
            self.map: gr.Column(visible=stream is not None),
        }
        if stream is None:
            return updates
        overlay, words = self.draw(0, question, stream, MEAN, *style)
        return updates | {
            self.kind: gr.Radio(kind_choices(source.measured.pointing if source else {}), value=ATTENTION),
            self.of_attention: gr.Row(visible=True),
            self.stream: gr.Radio(stream_choices(prediction), value=stream),
            self.head: gr.Dropdown(head_choices(prediction), value=MEAN),
            self.overlay: overlay,
            self.caption: words,
        }

    def pick(self, event: gr.EventData, *chosen: Any) -> tuple[int, Any, str]:
        """Draw the map of the name that was clicked, and remember it."""
        return event.entity, *self.draw(event.entity, *chosen)

    def draw(self, entity: int, question: Question | None, *controls: Any) -> tuple[Any, str]:
        """Draw one name's heat map over the photo, as the controls say; return it with its caption."""
        try:
            if question is None:  # the server was started anew, or many visitors came since
                raise InputError("Your question is no longer known here; press “Find the names” again.")
            drawn = render_requested_heat_map(self.service, question, entity, MapControls(*controls))
        except Exception as error:
            return gr.skip(), caption.problem_caption(user_message(error))
        return gr.Image(drawn.image, alt_text=drawn.alternative), drawn.caption


class ResearchTab:
    """A tab over run folders: its page asks for one part after the other as they come into view.

    What is shown stands in the address of the page, so no part has a state here.
    """

    def __init__(self, controller: TabController, name: str) -> None:
        def part(request: dict[str, Any]) -> dict[str, Any]:
            return controller.part(name, request)

        self.controller = controller
        library = f"gradio_api/file={assets.figure_library()}"
        self.page = html(shell_html(name, library), js_on_load=assets.tab_script(), server_functions=[part])

    def place_pair_of(self, tag_tab: TagTab) -> None:
        """Let the page place the pair that was last asked about in the first tab."""
        placed = html(js_on_load=assets.own_script(), visible="hidden")
        self.page.select(self.place, tag_tab.question, placed, **QUIET, **together(tag_tab.service.config))

    def place(self, question: Question | None, event: gr.EventData) -> str:
        """Place the pair on the map of the run that the event names."""
        return self.controller.place(event.view, question)


def together(config: ServingConfig) -> dict[str, Any]:
    """Return the options of handlers that run the model: many at once, since the model answers them in groups."""
    return {"concurrency_id": "model", "concurrency_limit": config.concurrency}


def add_api(service: TagService) -> None:
    """Add the handlers meant for programs; those behind the buttons deal in HTML."""
    api = Api(service, uploaded)
    options = together(service.config)

    def tag(
        text: str, image: FileData | None = None, language: str = "auto", convention: str = "", model: str = ""
    ) -> dict[str, Any]:
        """Find the names: text, language, entities with character offsets and confidence, notes, checkpoint."""
        return api.tag(text, image, language, convention, model)

    def tag_batch(items: list[dict[str, Any]], model: str = "") -> list[dict[str, Any]]:
        """Find the names in several texts: items of text, image, language, convention; an item may get an error."""
        return api.tag_batch(items, model)

    def heat_map(
        text: str, image: FileData, entity: int = 0, stream: str = "", head: str = MEAN, opacity: float = 0.5,
        cells: bool = False, shuffled: bool = False, language: str = "auto", convention: str = "", model: str = "",
        kind: str = ATTENTION,
    ) -> tuple[FileData, str]:  # fmt: skip
        """Draw the heat map of name number `entity` (from 0); return the picture and where it is brightest."""
        question = Question.from_inputs(text, uploaded(image), language, convention, model)
        controls = MapControls(stream or "", head, opacity, cells, shuffled, kind)
        drawn = render_requested_heat_map(service, question, entity, controls)
        path = save_pil_to_cache(drawn.image, get_upload_folder(), format="webp")
        return FileData(path=path), drawn.alternative

    gr.api(tag, api_name="tag", **options)
    gr.api(tag_batch, api_name="tag_batch", **options)
    gr.api(heat_map, api_name="heat_map", **options)
    gr.api(api.models, api_name="models")
    gr.api(reply_schema, api_name="schema")


def uploaded(image: Any) -> str | None:
    """Return the path of an upload, None for no image; see :func:`analysis.views.api.upload_path`."""
    return upload_path(image, get_upload_folder())


class Workbench(FairBlocks):
    """A page whose handlers are limited per visitor, fetch nothing unasked, and tell every problem in one sentence."""

    def __init__(self, settings: ServingConfig, **options: Any) -> None:
        super().__init__(settings, **options)
        # Gradio would fetch an address for any component, without a limit.
        self._fetcher = Fetcher(max_bytes=int(settings.max_upload_mb * 1e6)) if settings.fetch_urls else None

    async def preprocess_data(self, block_fn: Any, inputs: list[Any], *rest: Any, **options: Any) -> Any:
        """Prepare what a program sent for a handler; values left out at the end are the defaults."""
        if self._fetcher is None:
            refuse_addresses(inputs)
        else:
            await self._fetcher.replace_addresses(inputs, Path(get_upload_folder()))
        inputs = [*inputs, *(getattr(block, "value", None) for block in block_fn.inputs[len(inputs) :])]
        try:
            return await super().preprocess_data(block_fn, inputs, *rest, **options)
        except InvalidPathError as error:
            raise InputError(NOT_UPLOADED) from error

    async def process_api(self, *values: Any, **options: Any) -> Any:
        """Run a handler for a visitor."""
        try:
            return await super().process_api(*values, **options)
        except Exception as error:  # gradio's own as well: some of them name paths
            raise gr.Error(user_message(error), print_exception=False) from error


def build_app(service: TagService, controller: TabController | None = None) -> gr.Blocks:
    """Build the page; the model is loaded when the page is first opened, or by ``service.start()`` before."""
    config = service.config
    age = int(60 * config.upload_minutes)
    options = {"title": page.TITLE, "analytics_enabled": False, "delete_cache": (60, age), "fill_width": True}
    with Workbench(config, **options) as app:
        html(page.header_html())
        controller = controller or TabController(service)
        with gr.Tabs(elem_id="wb-tabs"):
            with gr.Tab("Tag", id="tag", elem_id="wb-tab-tag"):
                tag_tab = TagTab(service)
            for name, title in TITLES.items():
                with gr.Tab(title, id=name, elem_id=f"wb-tab-{name}"):
                    research_tab = ResearchTab(controller, name)
                    if name == "embedding":
                        research_tab.place_pair_of(tag_tab)
        html(page.footer_html(logout=bool(config.login)))
        add_api(service)
        told_ready = [tag_tab.status, tag_tab.convention]
        app.load(tag_tab.ready, None, told_ready, concurrency_limit=config.concurrency, **QUIET)
    return app.queue(max_size=config.queue_size, default_concurrency_limit=DRAWN_AT_ONCE, api_open=False)


def launch_options(config: ServingConfig, lifespan: Any) -> dict[str, Any]:
    """Return what the page needs at launch: our gate and head, no fonts or scripts from outside, no sharing."""
    return OFF | {
        "head": page.head_html(),
        "theme": gr.themes.Base(font=FONTS, font_mono=MONO_FONTS),
        "server_name": f"[{host}]" if ":" in (host := config.host.strip("[]")) else host,
        "server_port": config.port,
        "root_path": config.root_path or None,
        "auth": config.logins or None,
        "max_file_size": int(config.max_upload_mb * 1e6),
        "allowed_paths": [str(examples.DEMO / "photos"), str(assets.figure_library())],
        "state_session_capacity": 128,  # 0.4 MB each; who is pushed out by later visitors asks once more
        # Without FastAPI's own pages, which fetch scripts from outside.
        "app_kwargs": dict.fromkeys(("docs_url", "redoc_url", "openapi_url")) | {"lifespan": lifespan},
    }


def serve(config: ServingConfig) -> int:
    """Serve the workbench until the process is told to stop; return the code to end with.

    Raises:
        InputError: if the settings name something that cannot be used, or the port is taken.
    """
    with serving_process(config) as (space, stop):
        service = TagService(config.checkpoint, config)
        service.start()
        controller = TabController(service, config.runs, config.images)
        controller.start()
        app = build_app(service, controller)
        lost = functools.partial(ProcessCompletedMessage, output={"error": LOST}, success=False)
        watchdog = Watchdog(model_alive=lambda: service.alive, lost=lost, give_up=stop.set)
        bound_server(config)
        options = launch_options(config, guarded(config, space, watchdog))
        try:
            _, url, _ = app.launch(prevent_thread_lock=True, quiet=True, **options)
        except OSError as error:
            raise InputError(f"Port {config.port} of {config.host} cannot be used; choose another --port.") from error
        take_over_logs("uvicorn", "uvicorn.error")
        log.info("Open %s in your browser; stop with Ctrl-C.", url)
        stop.wait()
        app.close(verbose=False)
        return int(watchdog.gave_up)


def main() -> None:
    """Read the settings and serve."""
    try:
        config = read_config(sys.argv[1:], own_environment(os.environ), description="Serve the workbench.")
        log_to_stderr(text=config.log_text)
        with libraries_hushed(text=config.log_text):
            code = serve(config)
    except InputError as error:
        sys.stderr.write(f"{error}\n")
        code = 2
    end_process(code)


if __name__ == "__main__":
    main()

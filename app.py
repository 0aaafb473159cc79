"""The workbench in the browser, built from the tabs of `analysis.views.wiring`; run it with ``python app.py``."""

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
from gradio.exceptions import InvalidPathError  # noqa: E402
from gradio.server_messages import ProcessCompletedMessage  # noqa: E402
from gradio.utils import get_upload_folder  # noqa: E402

from analysis.palette import FONTS, MONO_FONTS  # noqa: E402
from analysis.views import page  # noqa: E402
from analysis.views.api import NOT_UPLOADED  # noqa: E402
from analysis.views.research.controller import TabController  # noqa: E402
from analysis.views.research.shell import TITLES, figure_library  # noqa: E402
from analysis.views.runs.controller import RunsController, open_tabs  # noqa: E402
from analysis.views.service import TagService, user_message  # noqa: E402
from analysis.views.tag import examples  # noqa: E402
from analysis.views.wiring.again import hand_over_sentences  # noqa: E402
from analysis.views.wiring.blocks import QUIET, html, uploaded  # noqa: E402
from analysis.views.wiring.programs import add_api  # noqa: E402
from analysis.views.wiring.research_tab import ResearchTab  # noqa: E402
from analysis.views.wiring.runs_tab import RUNS, RunsTab  # noqa: E402
from analysis.views.wiring.tag_tab import TagTab  # noqa: E402
from mmner_core.errors import InputError  # noqa: E402
from mmner_core.serving.addresses import refuse_addresses  # noqa: E402
from mmner_core.serving.config import ServingConfig  # noqa: E402
from mmner_core.serving.faults import log_to_stderr, take_over_logs  # noqa: E402
from mmner_core.serving.fetch import Fetcher  # noqa: E402
from mmner_core.serving.gradio_bounds import FairBlocks, bound_server  # noqa: E402
from mmner_core.serving.guard import OFF, guarded  # noqa: E402
from mmner_core.serving.log_filter import libraries_hushed  # noqa: E402
from mmner_core.serving.options import read_config  # noqa: E402
from mmner_core.serving.process import end_process, own_environment, serving_process  # noqa: E402
from mmner_core.serving.watchdog import LOST, Watchdog  # noqa: E402

log = logging.getLogger("app")
DRAWN_AT_ONCE = 4  # heat maps; they are drawn without the model


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


def build_app(
    service: TagService, controller: TabController | None = None, runs: RunsController | None = None
) -> gr.Blocks:
    """Build the page; the model is loaded when the page is first opened, or by ``service.start()`` before.

    Args:
        service: answers the first tab.
        controller: answers the research tabs.
        runs: answers the tab in which runs are made; None: there is none.
    """
    config = service.config
    age = int(60 * config.upload_minutes)
    options = {"title": page.TITLE, "analytics_enabled": False, "delete_cache": (60, age), "fill_width": True}
    with Workbench(config, **options) as app:
        html(page.header_html())
        controller = controller or TabController(service)
        with gr.Tabs(elem_id="wb-tabs"):
            with gr.Tab("Tag", id="tag", elem_id="wb-tab-tag"):
                tag_tab = TagTab(service, controller.library)
                hand_over_sentences(controller, tag_tab)
            for name, title in TITLES.items():
                with gr.Tab(title, id=name, elem_id=f"wb-tab-{name}"):
                    research_tab = ResearchTab(controller, name)
                    if name == "embedding":
                        research_tab.place_pair_of(tag_tab)
            if runs is not None:
                with gr.Tab("Runs", id=RUNS, elem_id=f"wb-tab-{RUNS}"):
                    RunsTab(runs)
        html(page.footer_html(logout=bool(config.login)))
        add_api(service, controller.library)
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
        "max_file_size": config.upload_bytes,
        "allowed_paths": [str(examples.DEMO / "photos"), str(figure_library())],
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
        controller, runs = open_tabs(service, uploaded, get_upload_folder)
        controller.start()
        app = build_app(service, controller, runs)
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
        if runs is not None:
            runs.close()
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

"""The wiring of the tab in which runs are made, and of the calls with which programs make them."""

from __future__ import annotations

from typing import Any

import gradio as gr

from analysis.views.page import asset
from analysis.views.runs.calls import RunCalls
from analysis.views.runs.controller import RunsController
from analysis.views.wiring.blocks import html

RUNS = "runs"
TOLD_AT_ONCE = 8  # programs that are told how far their runs are


class RunsTab:
    """The tab; what it shows is asked for by its script."""

    def __init__(self, controller: RunsController) -> None:
        def runs(request: dict[str, Any]) -> dict[str, Any]:
            return controller.answer(request)

        self.page = html(controller.shell, js_on_load=asset("runs/runs.js"), server_functions=[runs])
        calls = RunCalls(controller)
        gr.api(calls.run, api_name="run", concurrency_id="runs", concurrency_limit=TOLD_AT_ONCE)
        for name, call in {"runs": calls.runs, "cancel_run": calls.cancel, "run_zip": calls.run_zip}.items():
            gr.api(call, api_name=name)

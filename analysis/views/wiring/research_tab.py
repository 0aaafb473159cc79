"""The tabs over run folders: one component each, whose page asks the server for its parts."""

from __future__ import annotations

from typing import Any

import gradio as gr

from analysis.views.page import asset
from analysis.views.research.controller import TabController
from analysis.views.research.shell import figure_library, shell_html
from analysis.views.service import TagQuestion
from analysis.views.wiring.blocks import QUIET, html, together
from analysis.views.wiring.tag_tab import TagTab


class ResearchTab:
    """A tab over run folders: its page asks for one part after the other as they come into view.

    What is shown stands in the address of the page, so no part has a state here.
    """

    def __init__(self, controller: TabController, name: str) -> None:
        def part(request: dict[str, Any]) -> dict[str, Any]:
            return controller.part(name, request)

        def save(form: dict[str, Any]) -> dict[str, Any]:
            return controller.save(form)

        self.controller = controller
        library = f"gradio_api/file={figure_library()}"
        script = asset("research/research.js")
        self.page = html(shell_html(name, library), js_on_load=script, server_functions=[part, save])

    def place_pair_of(self, tag_tab: TagTab) -> None:
        """Let the page place the pair that was last asked about in the first tab."""
        placed = html(js_on_load=asset("research/own.js"), visible="hidden")
        self.page.select(self.place, tag_tab.question, placed, **QUIET, **together(tag_tab.service.config))

    def place(self, question: TagQuestion | None, event: gr.EventData) -> str:
        """Place the pair on the map of the run that the event names."""
        return self.controller.place(event.view, question)

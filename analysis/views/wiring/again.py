"""Hands a sentence of a run over to the first tab, from the inspector or a link, to be edited and asked about."""

from __future__ import annotations

import gradio as gr
from gradio.processing_utils import save_file_to_cache
from gradio.utils import get_upload_folder

from analysis.views import page
from analysis.views.research.controller import TabController
from analysis.views.tag.choices import LANGUAGES
from analysis.views.wiring.blocks import QUIET, html
from analysis.views.wiring.tag_tab import TagTab

PHOTO_IS_ELSEWHERE = "The photo of this sentence is not on this server; the text is asked about alone."


def hand_over_sentences(controller: TabController, tag_tab: TagTab) -> None:
    """Let the page put a sentence of a run into the first tab, with its photo, and ask about it."""

    def open_sentence(event: gr.EventData) -> tuple[str, str | None, str]:
        view, text = (getattr(event, name, None) for name in ("view", "text"))  # a program may send anything
        photo, has_photo, language = controller.sentence(view if isinstance(view, dict) else {})
        if has_photo and photo is None:
            gr.Warning(PHOTO_IS_ELSEWHERE)
        shown = None if photo is None else save_file_to_cache(photo, get_upload_folder())
        known = language in dict(LANGUAGES).values()
        return text if isinstance(text, str) else "", shown, language if known else "auto"

    inputs, outputs, options = tag_tab.answered
    asked = html(js_on_load=page.asset("tag/again.js"), visible="hidden")
    asked.select(open_sentence, None, inputs[:3], **QUIET).success(tag_tab.show, inputs, outputs, **options)

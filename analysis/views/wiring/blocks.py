"""What every tab is wired with: a component for our markup, the options of handlers, where uploads are."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from analysis.views.api import upload_path
from mmner_core.serving.config import ServingConfig

QUIET: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}


def html(value: str = "", **options: Any) -> gr.HTML:
    """Return a component for our own markup, free of gradio's styles for running text."""
    return gr.HTML(value, apply_default_css=False, **options)


def together(config: ServingConfig) -> dict[str, Any]:
    """Return the options of handlers that run the model: many at once, since the model answers them in groups."""
    return {"concurrency_id": "model", "concurrency_limit": config.concurrency}


def uploaded(image: Any) -> str | None:
    """Return the path of an upload, None for no image; see :func:`analysis.views.api.upload_path`."""
    return upload_path(image, get_upload_folder())

"""The frame around the tabs: header, footer, model status, and the head with style sheet and script."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.views.rendering import macros
from analysis.views.tag.examples import credits_html

if TYPE_CHECKING:
    from markupsafe import Markup

TITLE = "2M-NER Workbench"
_HERE = Path(__file__).resolve().parent
_STYLES = ("theme.css", "tag/asking.css", "research/research.css", "runs/runs.css")
_SCRIPTS = ("address.js", "page.js", "research/navigation.js", "research/hover.js")


@cache
def head_html() -> Markup:
    """Return our style sheets and page scripts for the document's head; nothing in them is fetched from outside."""
    return macros("page").head("".join(map(asset, _STYLES)), [asset(name) for name in _SCRIPTS])


@cache
def asset(name: str) -> str:
    """Return a style sheet or script of ours, named by its path among the views."""
    return (_HERE / name).read_text(encoding="utf-8")


def heading(text: str, *, step: int | None = None) -> Markup:
    """Return a heading that says what to do, with the number of its step where there is one."""
    return macros("page").heading(text, step)


def header_html() -> Markup:
    """Return the page's header."""
    return macros("page").header()


def footer_html(*, logout: bool = False) -> Markup:
    """Return the page's footer, with the credits of the example photos and, where there is a login, the way out."""
    return macros("page").footer(credits_html(), logout)


def loading_html() -> Markup:
    """Return the status while the model loads."""
    return macros("page").status("loading", "The model is loading; you can write already.")


def ready_html(digest: str, name: str = "") -> Markup:
    """Return the status once the model is there; ``name`` tells it from others."""
    model = f"Model {name}" if name else "Model"
    return macros("page").status("ready", f"{model} ready ({digest[:8]})")


def broken_html(sentence: str) -> Markup:
    """Return the status when the model cannot be loaded."""
    return macros("page").status("broken", sentence)

"""The frame around the tabs: header, footer, model status, and the head with style sheet and script."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from analysis.views.marks import escape_html
from analysis.views.research import assets
from analysis.views.runs.shell import runs_style
from analysis.views.tag.examples import credits_html

TITLE = "2M-NER Workbench"
_HERE = Path(__file__).resolve().parent
_STYLES = ("theme.css", "tag/asking.css")
_HEADER = """<header class="wb-header">
<svg class="wb-logo" viewBox="0 0 48 48" aria-hidden="true"><rect x="3" y="5" width="42" height="26" rx="6"/>
<circle cx="14" cy="14" r="3.5"/><path d="M8 27l9-8 6 5 7-9 10 12z"/><rect x="3" y="36" width="20" height="7" rx="3.5"/>
<rect x="27" y="36" width="18" height="7" rx="3.5"/></svg>
<div><h1>2M-NER Workbench</h1>
<p>Names in a sentence and its photo, in English, French, German and Spanish, and what the photo had to do with it.</p>
</div><button type="button" class="wb-theme" aria-label="Switch between light and dark">◐</button></header>"""
_FOOTER = """<footer class="wb-footer"><p>Multilingual, multimodal named entity recognition after 2M-NER
(arXiv 2404.17122). Everything runs on this machine; nothing you enter leaves it. The trained weights are for
non-commercial use.</p>{credits}{logout}</footer>"""
_LOGOUT = '<form class="wb-logout" method="post" action="logout"><button type="submit">Log out</button></form>'
_STATUS = '<p class="wb-status wb-{kind}" role="status"><span class="wb-dot" aria-hidden="true"></span>{body}</p>'


@cache
def head_html() -> str:
    """Return our style sheets and page scripts for the document's head; nothing in them is fetched from outside."""
    style = "".join((_HERE / name).read_text(encoding="utf-8") for name in _STYLES) + assets.style() + runs_style()
    own = ((_HERE / name).read_text(encoding="utf-8") for name in ("address.js", "page.js"))
    scripts = (*own, assets.navigation_script(), assets.hover_script())
    return f"<style>{style}</style>" + "".join(f"<script>{script}</script>" for script in scripts)


@cache
def script(name: str) -> str:
    """Return a script of ours that runs once for a component."""
    return (_HERE / name).read_text(encoding="utf-8")


def picking_script() -> str:
    """Return the script that turns a click or key press on a name or example into an event of its component."""
    return script("tag/picking.js")


@cache
def asking_script() -> str:
    """Return the script that asks in the first tab about a sentence of a run."""
    return (_HERE / "tag/again.js").read_text(encoding="utf-8")


def heading(text: str, *, step: int | None = None) -> str:
    """Return a heading that says what to do, with the number of its step where there is one."""
    number = "" if step is None else f'<span class="wb-step" aria-hidden="true">{step}</span>'
    return f'<h2 class="wb-heading">{number}{escape_html(text)}</h2>'


def header_html() -> str:
    """Return the page's header."""
    return _HEADER


def footer_html(*, logout: bool = False) -> str:
    """Return the page's footer, with the credits of the example photos and, where there is a login, the way out."""
    return _FOOTER.format(credits=credits_html(), logout=_LOGOUT if logout else "")


def loading_html() -> str:
    """Return the status while the model loads."""
    return _STATUS.format(kind="loading", body="The model is loading; you can write already.")


def ready_html(digest: str, name: str = "") -> str:
    """Return the status once the model is there; ``name`` tells it from others."""
    model = f"Model {name}" if name else "Model"
    return _STATUS.format(kind="ready", body=escape_html(f"{model} ready ({digest[:8]})"))


def broken_html(sentence: str) -> str:
    """Return the status when the model cannot be loaded."""
    return _STATUS.format(kind="broken", body=escape_html(sentence))

"""Renders the templates of the research tabs."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.panels.templates import environment
from analysis.views.marks import escape_html

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, /, **values: Any) -> str:
    """Return a template as HTML; values are escaped, except HTML that is wrapped in ``Markup``."""
    return _environment().get_template(f"{template}.html.j2").render(**values)


def render_macro(macro: str, /, **values: Any) -> str:
    """Return one of the macros that the templates share as HTML; see :func:`render`."""
    return str(getattr(_environment().get_template("macros.html.j2").module, macro)(**values))


def set_attribute(**change: Any) -> str:
    """Return the attribute that makes a button change the page's state; None and "" reset a field."""
    texts = {name: "" if value is None else str(value) for name, value in change.items()}
    return f'data-set="{escape_html(json.dumps(texts))}"'


def select_html(label: str, name: str, choices: dict[str, str], chosen: str) -> str:
    """Return a drop-down that sets one parameter of the address."""
    return render_macro("select", label=label, name=name, choices=choices, chosen=chosen)


def choices_html(*selects: tuple[str, str, dict[str, str], str]) -> str:
    """Return drop-downs side by side, each given as :func:`select_html` takes it."""
    names = ("label", "name", "choices", "chosen")
    return render("choices", selects=[dict(zip(names, one, strict=True)) for one in selects])


@cache
def _environment() -> jinja2.Environment:
    from markupsafe import Markup

    found = environment(_TEMPLATES)
    found.globals["set_attribute"] = lambda **change: Markup(set_attribute(**change))
    return found

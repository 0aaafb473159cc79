"""Renders the templates of the page and of its tabs, all in one folder; what comes out is markup."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from analysis.palette import text_colour
from analysis.panels.templates import template_environment

if TYPE_CHECKING:
    import jinja2

_TEMPLATES = Path(__file__).resolve().parent / "templates"


def render(template: str, /, **values: Any) -> Markup:
    """Return a template, named by its path, as markup; of the values all that is not markup itself is escaped."""
    return Markup(_environment().get_template(f"{template}.html.j2").render(**values))


def macros(template: str) -> Any:
    """Return the macros of a template as attributes; each returns markup, see :func:`render`."""
    return _environment().get_template(f"{template}.html.j2").module


def set_attribute(**change: Any) -> Markup:
    """Return the attribute that makes a button change the page's state; None and "" reset a field."""
    texts = {name: "" if value is None else str(value) for name, value in change.items()}
    return Markup('data-set="{}"').format(json.dumps(texts))


@cache
def _environment() -> jinja2.Environment:
    found = template_environment(_TEMPLATES)
    found.globals["set_attribute"] = set_attribute
    found.filters |= {"text_colour": text_colour, "json": json.dumps}
    return found

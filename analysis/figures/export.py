"""Exports figures as JSON for a page that draws them itself."""

from __future__ import annotations

import plotly.graph_objects as go
from plotly.io.json import to_json_plotly
from plotly.offline import get_plotlyjs

from analysis.figures.theme import SCHEMES, template


def figure_json(figure: go.Figure) -> str:
    """Return data and layout without the template as JSON; no ``<`` in it can end a script element."""
    content = figure.to_plotly_json()
    content["layout"].pop("template", None)
    return to_json_plotly(content)


def template_json() -> str:
    """Return the templates by scheme as JSON, safe as above."""
    return to_json_plotly({scheme: template(scheme).to_plotly_json() for scheme in SCHEMES})


def library_script() -> str:
    """Return the text of plotly.js, to be inlined once."""
    return get_plotlyjs()


def figure_page(figure: go.Figure) -> str:
    """Return a figure as one HTML page that fetches nothing."""
    return figure.to_html(include_plotlyjs=True, config={"displaylogo": False, "responsive": True})

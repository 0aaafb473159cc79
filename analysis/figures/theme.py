"""The theme of all figures, light and dark, and the colours with a meaning.

The colours are those of Okabe and Ito (2008), as in :mod:`analysis.palette`; the page's own ground shows
through, and marks have an outline that stands out from it, since some of the colours alone do not on white.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from html import escape
from typing import Literal

import plotly.graph_objects as go

from analysis.palette import FONTS, type_colours

Scheme = Literal["light", "dark"]
SCHEMES: tuple[Scheme, ...] = ("light", "dark")
# Reads on both grounds; for what is no category: totals, chance, "all".
NEUTRAL = "#7B8794"
BLUE, VERMILION, GREEN, AMBER, SKY, PURPLE = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#56B4E9", "#CC79A7"
COLOURWAY = (BLUE, VERMILION, GREEN, PURPLE, SKY, AMBER)
_NAMED = {
    "all": NEUTRAL,
    "no name": NEUTRAL,
    **{"en": BLUE, "fr": VERMILION, "de": GREEN, "es": PURPLE},
    **{"text": BLUE, "image": VERMILION, "vit": AMBER, "cnn": PURPLE},
    **{"correct": GREEN, "wrong type": VERMILION, "boundary": SKY, "boundary and type": PURPLE},
    **{"missed": AMBER, "spurious": BLUE},
    **{"both right": GREEN, "moved, one right": SKY, "moved, none right": PURPLE, "swapped": VERMILION},
    **{"unmoved, one right": AMBER, "unmoved, none right": NEUTRAL},
}
_INK = {"light": "#1c2430", "dark": "#e8ecf0"}
_MUTED = {"light": "#5a6472", "dark": "#a3afbb"}
_LINE = {"light": "#dcd8ce", "dark": "#2e3944"}
_CARD = {"light": "#ffffff", "dark": "#19212a"}
_SEQUENTIAL = {"light": ("#ffffff", "#9fcfd0", "#0f5e63"), "dark": ("#19212a", "#2b6f74", "#8ad8d6")}
_DIVERGING = {"light": (VERMILION, "#ffffff", BLUE), "dark": ("#E8813A", "#19212a", SKY)}


def colours_of(names: Sequence[str], types: Iterable[str] = ()) -> dict[str, str]:
    """Give each name its colour: languages, modalities, error classes and entity types always have the same.

    Args:
        names: what is to be told apart.
        types: the entity types among them.
    """
    of_types = type_colours([t for t in names if t in set(types)])
    others = [name for name in names if name not in _NAMED and name not in of_types]
    spare = {name: COLOURWAY[i % len(COLOURWAY)] for i, name in enumerate(others)}
    return {name: of_types.get(name) or _NAMED.get(name) or spare[name] for name in names}


def plain(text: object) -> str:
    """Return text that a figure shows literally: plotly would read ``<b>`` and ``<a>`` as markup.

    What has no name, such as the language of another system's sentences, is called unknown.
    """
    return escape(str(text), quote=False) or "unknown"


def in_scheme(figure: go.Figure, scheme: Scheme) -> go.Figure:
    """Return a copy of the figure in the light or the dark template."""
    copy = go.Figure(figure)
    copy.layout.template = template(scheme)
    return copy


def new_figure(*traces: go.Bar, height: int = 380, **layout: object) -> go.Figure:
    """Start a figure in the light template."""
    figure = go.Figure(list(traces))
    figure.update_layout(template=template("light"), height=height, **layout)
    return figure


@cache
def template(scheme: Scheme) -> go.layout.Template:
    """Return the template of a scheme."""
    ink, muted, line = _INK[scheme], _MUTED[scheme], _LINE[scheme]
    axis = {
        "automargin": True,
        "ticklabelstandoff": 3,
        "gridcolor": line,
        "zerolinecolor": muted,
        "zerolinewidth": 1,
        "linecolor": line,
        "tickfont": {"color": muted, "size": 12},
        "title": {"font": {"color": muted, "size": 12}, "standoff": 8},
    }
    bar = {"marker": {"line": {"color": muted, "width": 0.7}}, "error_x": _error(ink), "error_y": _error(ink)}
    dots = {"marker": {"line": {"color": _CARD[scheme], "width": 0.5}}, "error_x": _error(), "error_y": _error()}
    return go.layout.Template(
        layout={
            "font": {"family": ", ".join(FONTS), "size": 13, "color": ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            # Only what stands for nothing in particular takes its colour from here.
            "colorway": [{"light": BLUE, "dark": SKY}[scheme]],
            "colorscale": {
                "sequential": _scale(_SEQUENTIAL[scheme]),
                "sequentialminus": _scale(_SEQUENTIAL[scheme][::-1]),
                "diverging": _scale(_DIVERGING[scheme]),
            },
            "margin": {"l": 8, "r": 8, "t": 16, "b": 8},
            "legend": {"orientation": "h", "x": 0, "xanchor": "left", "y": 1.02, "yanchor": "bottom"},
            "hoverlabel": {"bgcolor": _CARD[scheme], "bordercolor": line, "font": {"color": ink}, "align": "left"},
            "barcornerradius": 2,
            "bargap": 0.25,
            "xaxis": axis,
            "yaxis": axis,
            "modebar": {"color": muted, "activecolor": ink, "bgcolor": "rgba(0,0,0,0)"},
        },
        data={"bar": [bar], "scatter": [dots], "scattergl": [{"marker": dots["marker"]}]},
    )


def _error(colour: str | None = None) -> dict[str, object]:
    return {"thickness": 1.2, "width": 3} | ({} if colour is None else {"color": colour})


def _scale(colours: Sequence[str]) -> list[list[object]]:
    return [[i / (len(colours) - 1), colour] for i, colour in enumerate(colours)]

"""Style sheet and scripts of the research tabs; nothing in them is fetched from outside."""

from __future__ import annotations

from functools import cache
from pathlib import Path

_HERE = Path(__file__).resolve().parent


@cache
def style() -> str:
    """Return the style sheet."""
    return (_HERE / "research.css").read_text(encoding="utf-8")


@cache
def navigation_script() -> str:
    """Return the script of the page's head: the state that stands in the address."""
    return (_HERE / "navigation.js").read_text(encoding="utf-8")


@cache
def hover_script() -> str:
    """Return the script of the page's head that shows the photo of a map's point."""
    return (_HERE / "hover.js").read_text(encoding="utf-8")


@cache
def tab_script() -> str:
    """Return the script that runs once per tab."""
    return (_HERE / "research.js").read_text(encoding="utf-8")


@cache
def own_script() -> str:
    """Return the script that hands the visitor's placed pair to the map."""
    return (_HERE / "own.js").read_text(encoding="utf-8")


def figure_library() -> Path:
    """Return the file of plotly.js that the installed plotly carries, found without importing it."""
    from importlib.util import find_spec

    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None, "plotly is a requirement of the workbench"
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"

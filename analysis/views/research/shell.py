"""The page of a tab before its first part is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from analysis.views.rendering import render
from analysis.views.research.tabs import CONTROLS, INSPECTOR, TABS

if TYPE_CHECKING:
    from markupsafe import Markup

TITLES = {"errors": "Errors", "embedding": "Embedding", "modality": "Modality"}


def figure_library() -> Path:
    """Return the file of plotly.js that the installed plotly carries, found without importing it."""
    from importlib.util import find_spec

    spec = find_spec("plotly")
    assert spec is not None and spec.origin is not None, "plotly is a requirement of the workbench"
    return Path(spec.origin).parent / "package_data" / "plotly.min.js"


def shell_html(tab: str, library: str) -> Markup:
    """Return a tab with its parts still empty.

    Args:
        tab: a key of ``TABS``.
        library: address of the script that draws figures.
    """
    return render("research/shell", tab=tab, library=library, parts=TABS[tab], controls=CONTROLS, inspector=INSPECTOR)

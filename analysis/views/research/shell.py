"""The page of a tab before its first part is asked for."""

from __future__ import annotations

from analysis.views.research.rendering import render
from analysis.views.research.tabs import CONTROLS, INSPECTOR, TABS

TITLES = {"errors": "Errors", "embedding": "Embedding", "modality": "Modality"}


def shell_html(tab: str, library: str) -> str:
    """Return a tab with its parts still empty.

    Args:
        tab: a key of ``TABS``.
        library: address of the script that draws figures.
    """
    return render("shell", tab=tab, library=library, parts=TABS[tab], controls=CONTROLS, inspector=INSPECTOR)

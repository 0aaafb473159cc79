"""The page of the tab before anything is uploaded; the same for everybody."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from analysis.jobs.look import DATA_ENDINGS
from analysis.views.rendering import render
from mmner_core.text.language_names import LANGUAGE_NAMES

if TYPE_CHECKING:
    from markupsafe import Markup


def runs_shell_html(folders: Iterable[str], *, megabytes: float, sentences: int) -> Markup:
    """Return the tab with its list still empty.

    Args:
        folders: names of folders of photos on the server.
        megabytes: of an upload.
        sentences: of a run.
    """
    names = list(folders)
    return render(
        "runs/shell",
        megabytes=megabytes,
        sentences=sentences,
        endings=(*DATA_ENDINGS, ".zip"),
        folders={"": "none"} | {name: name for name in names} if names else {},
        languages={"": "as the file says"} | dict(LANGUAGE_NAMES),
    )

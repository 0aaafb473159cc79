"""The page of a tab before its first part is asked for."""

from __future__ import annotations

from analysis.views.marks import escape_html
from analysis.views.research.tabs import CONTROLS, INSPECTOR, TABS, TabPart

TITLES = {"errors": "Errors", "embedding": "Embedding", "modality": "Modality"}
_SHELL = """<div class="wb-research" data-tab="{tab}" data-library="{library}">
<div class="wb-card wb-controls-card">{controls}<nav class="wb-chapters" aria-label="In this tab">{chapters}</nav></div>
{parts}
<dialog class="wb-inspector" aria-label="Inspector"><div class="wb-inspector-head"><h3>Inspector</h3>
<button type="button" class="wb-quiet" data-close>Close</button></div>{inspector}</dialog></div>"""
_PART = """<section class="wb-part{kind}" id="wb-{tab}-{id}" data-part="{id}" data-uses="run {uses}"
style="min-height:{height}px">{waiting}</section>"""
_WAITING = '<p class="wb-waiting" role="status">Reading the run …</p>'
_OWN = """<section class="wb-card wb-own-card"><button type="button" class="wb-quiet" data-own>Place my pair from the
Tag tab on the map</button><div data-own-place aria-live="polite"></div></section>"""


def shell_html(tab: str, library: str) -> str:
    """Return a tab with its parts still empty.

    Args:
        tab: a key of ``TABS``.
        library: address of the script that draws figures.
    """
    parts = TABS[tab]
    chapters = "".join(
        f'<a href="#wb-{tab}-{part.id}" data-jump="{part.id}">{escape_html(part.chapter)}</a>'
        for part in parts
        if part.chapter
    )
    return _SHELL.format(
        tab=tab,
        library=escape_html(library),
        controls=_part_html(tab, CONTROLS, " wb-part-bare"),
        chapters=chapters,
        parts="".join(_part_html(tab, part, " wb-card") + (_OWN if part.id == "map" else "") for part in parts),
        inspector="".join(_part_html(tab, part, " wb-part-bare") for part in INSPECTOR),
    )


def _part_html(tab: str, part: TabPart, kind: str) -> str:
    waiting = _WAITING if part.height else ""
    if not part.height:
        kind += " wb-part-empty"
    return _PART.format(tab=tab, id=part.id, uses=" ".join(part.uses), height=part.height, kind=kind, waiting=waiting)

"""A panel as HTML: title, how to read it, figure, table, and all it takes to trust its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.views.marks import escape_html
from analysis.views.research.tab_request import RenderedPart
from analysis.views.research.tables import FIGURE, of_language, table_html

if TYPE_CHECKING:
    import pandas as pd

    from analysis.panels import Panel

_OPEN_ROWS = 14  # a longer table beside a figure starts folded
_PANEL = """<header class="wb-panel-head"><h3>{title}</h3>{controls}</header>
<p class="wb-how">{how}</p>{badges}{body}{notes}{facts}"""
_BADGES = '<p class="wb-badges">{}</p>'
_BADGE = '<span class="wb-badge">{}</span>'
_FIGURE = '<div class="wb-figure" role="img" aria-label="{alternative}" style="min-height:{height}px"></div>'
_FOLDED = '<details class="wb-fold"{open}><summary>{summary}</summary>{table}</details>'
_FACTS = """<footer class="wb-panel-facts"><span>{facts}</span>{downloads}
<details class="wb-command"><summary>Command</summary><pre>{command}</pre></details></footer>"""
_LABELS = {"csv": "CSV", "parquet": "Parquet", FIGURE: "CSV of the figure"}
_DOWNLOAD = '<button type="button" class="wb-quiet" data-download="{kind}">{label}</button>'


def render_panel(panel: Panel, language: str = "", controls: str = "") -> RenderedPart:
    """Return a panel with its figure; of its table the rows of one language, where it tells them apart."""
    table = of_language(panel.table, language)
    body = ""
    if panel.figure is not None:
        body = _FIGURE.format(alternative=escape_html(panel.alternative), height=panel.figure.layout.height or 380)
    if len(table.columns):
        body += _table(table, panel.title, folded=panel.figure is not None)
    html = panel_html(panel, body, controls)
    return RenderedPart(
        html=html, figure=panel.figure, table=lambda: table, figure_data=panel.figure_data, name=panel.id
    )


def panel_html(panel: Panel, body: str, controls: str = "", downloads: tuple[str, ...] | None = None) -> str:
    """Return the frame of a panel around a body of one's own.

    Args:
        panel: gives title, sentence, notes and provenance.
        body: HTML.
        controls: HTML beside the title.
        downloads: kinds of files to offer; None: the table as CSV, and what the figure shows beyond it.
    """
    if downloads is None:
        downloads = ("csv",) if panel.figure_data is None else ("csv", FIGURE)
    return _PANEL.format(
        title=escape_html(panel.title),
        controls=controls,
        how=escape_html(panel.how_to_read),
        badges=badges_html(panel.badges),
        body=body,
        notes=notes_html(panel.notes),
        facts=_facts(panel, downloads if len(panel.table.columns) else ()),
    )


def badges_html(badges: tuple[str, ...]) -> str:
    """Return warnings of a few words."""
    return _BADGES.format("".join(_BADGE.format(escape_html(badge)) for badge in badges)) if badges else ""


def notes_html(notes: tuple[str, ...]) -> str:
    """Return sentences about what is missing, small or shortened."""
    items = "".join(f"<li>{escape_html(note)}</li>" for note in notes)
    return f'<ul class="wb-panel-notes">{items}</ul>' if notes else ""


def _table(table: pd.DataFrame, title: str, *, folded: bool) -> str:
    written = table_html(table, title)
    if not folded:
        return written
    n = f"{len(table):,} row{'' if len(table) == 1 else 's'}"
    return _FOLDED.format(open=" open" if len(table) <= _OPEN_ROWS else "", summary=f"The numbers ({n})", table=written)


def _facts(panel: Panel, downloads: tuple[str, ...]) -> str:
    facts = [f"n: {panel.n}" if panel.n else "", f"split: {panel.split}", f"rule: {panel.rule}" if panel.rule else ""]
    buttons = "".join(_DOWNLOAD.format(kind=kind, label=_LABELS[kind]) for kind in downloads)
    return _FACTS.format(
        facts=escape_html(" · ".join(filter(None, facts))), downloads=buttons, command=escape_html(panel.command)
    )

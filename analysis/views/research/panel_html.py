"""A panel as HTML: title, how to read it, figure, table, and all it takes to trust its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.views.rendering import render
from analysis.views.research.tab_request import RenderedPart
from analysis.views.research.tables import FIGURE, of_language, table_html

if TYPE_CHECKING:
    from markupsafe import Markup

    from analysis.panels import Panel

_OPEN_ROWS = 14  # a longer table beside a figure starts folded
_LABELS = {"csv": "CSV", "parquet": "Parquet", FIGURE: "CSV of the figure"}


def render_panel(panel: Panel, language: str = "", controls: Markup | str = "") -> RenderedPart:
    """Return a panel with its figure; of its table the rows of one language, where it tells them apart."""
    table = of_language(panel.table, language)
    body = render(
        "research/panel_body",
        panel=panel,
        table=table_html(table, panel.title) if len(table.columns) else "",
        n_rows=len(table),
        open_rows=_OPEN_ROWS,
    )
    html = panel_html(panel, body, controls)
    return RenderedPart(
        html=html, figure=panel.figure, table=lambda: table, figure_data=panel.figure_data, name=panel.id
    )


def panel_html(
    panel: Panel, body: Markup | str, controls: Markup | str = "", downloads: tuple[str, ...] | None = None
) -> Markup:
    """Return the frame of a panel around a body of one's own.

    Args:
        panel: gives title, sentence, notes and provenance.
        body: markup, or a text.
        controls: markup beside the title.
        downloads: kinds of files to offer; None: the table as CSV, and what the figure shows beyond it.
    """
    if downloads is None:
        downloads = ("csv",) if panel.figure_data is None else ("csv", FIGURE)
    facts = (f"n: {panel.n}" if panel.n else "", f"split: {panel.split}", f"rule: {panel.rule}" if panel.rule else "")
    return render(
        "research/panel",
        panel=panel,
        body=body,
        controls=controls,
        facts=[fact for fact in facts if fact],
        downloads={kind: _LABELS[kind] for kind in downloads} if len(panel.table.columns) else {},
    )

"""Writes a report as one HTML file: plotly.js inlined once, nothing fetched, every text of a user escaped."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from analysis.panels.display import shown_table
from analysis.panels.templates import template_environment
from analysis.report.files import write_text
from analysis.run.csv_text import csv_text

if TYPE_CHECKING:
    from analysis.panels import Panel
    from analysis.report.document import Document

_HERE = Path(__file__).resolve().parent


def write_html(document: Document, file: str | Path) -> Path:
    """Write the report, replacing an older one once the new one is complete.

    Raises:
        InputError: if the file cannot be written.
    """
    return write_text(Path(file), render(document))


def render(document: Document) -> str:
    """Return the page."""
    from analysis.figures import library_script, template_json

    library, own = library_script().replace("\r\n", "\n"), (_HERE / "report.js").read_text(encoding="utf-8")
    return (
        template_environment(_HERE)
        .get_template("report.html.j2")
        .render(
            document=document,
            views=[(chapter, [_view(panel) for panel in chapter.panels]) for chapter in document.chapters],
            style=(_HERE / "report.css").read_text(encoding="utf-8"),
            library=library,
            script=own,
            script_hashes=" ".join(f"'sha256-{_hash(text)}'" for text in (library, own)),
            templates=template_json(),
        )
    )


def _view(panel: Panel) -> dict[str, Any]:
    """Return the template's view of a panel."""
    from analysis.figures import figure_json

    has_table = len(panel.table) > 0
    return {
        "panel": panel,
        "table": shown_table(panel.table) if has_table else None,
        "files": dict(_files(panel)),
        "figure": figure_json(panel.figure) if panel.figure is not None else "",
        "height": panel.figure.layout.height if panel.figure is not None else 0,
    }


def _files(panel: Panel) -> Iterator[tuple[str, str]]:
    """Yield name and content (as a data URL) of what can be saved: the table, and data that only the figure shows."""
    tables = {panel.id: panel.table if len(panel.table) else None, f"{panel.id}-figure": panel.figure_data}
    for name, table in tables.items():
        if table is not None:
            yield f"{name}.csv", f"data:text/csv;charset=utf-8,{quote(csv_text(table))}"


def _hash(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

"""The photo with a raster over it, whose cells a visitor hides by finger, mouse or keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conditions.hidden_cells import HiddenCells, raster
from analysis.views.marks import escape_html
from analysis.views.tag.comparison_view import data_url

if TYPE_CHECKING:
    from PIL.Image import Image

_OPEN = """<div class="wb-asking"><button type="button" class="wb-quiet" data-paint="open">Hide a part of the photo
</button></div>"""
_PAINTING = """<section class="wb-asking wb-painting" aria-label="Hide a part of the photo">
<h4>Hide a part of the photo</h4><p class="wb-hint">Draw over what the model should not see, then ask again. With the
keyboard: arrow keys move, Space hides or shows a cell. Hidden cells are replaced by the photo's mean colour.</p>
<div class="wb-raster" style="--rows:{rows};--columns:{columns}"><img src="{data}" alt="The photo" draggable="false">
<div class="wb-cells" role="grid" aria-label="Cells of the photo, {rows} rows of {columns}">{cells}</div></div>
<p class="wb-painted" role="status"></p><div class="wb-choices">
<button type="button" class="wb-quiet wb-strong" data-paint="ask" disabled>Ask again without these parts</button>
<button type="button" class="wb-quiet" data-paint="swap">Swap hidden and shown</button>
<button type="button" class="wb-quiet" data-paint="clear">Show all</button></div></section>"""
_ROW = '<div role="row">{}</div>'
_CELL = """<span role="gridcell" tabindex="{tab}" aria-selected="false" aria-label="row {row}, column {column}"
data-cell="{row},{column}"></span>"""


def open_html() -> str:
    """Return the button that opens the raster."""
    return _OPEN


def painting_html(photo: Image) -> str:
    """Return a photo under its raster."""
    rows, columns = raster(photo.size)
    cells = "".join(
        _ROW.format(
            "".join(
                _CELL.format(tab=0 if (row, column) == (1, 1) else -1, row=row, column=column)
                for column in range(1, columns + 1)
            )
        )
        for row in range(1, rows + 1)
    )
    return _PAINTING.format(rows=rows, columns=columns, data=data_url(photo), cells=cells)


def problem_html(sentence: str) -> str:
    """Return the sentence about a problem in the place of what was asked for."""
    return f'<p class="wb-asking wb-message wb-problem" role="alert">{escape_html(sentence)}</p>'


def hidden_title(hidden: HiddenCells) -> str:
    """Say how much of a photo is hidden, for the heading of an answer."""
    return f"With {hidden.share:.0%} of it hidden"

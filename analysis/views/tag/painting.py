"""The photo with a raster over it, whose cells a visitor hides by finger, mouse or keyboard."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.conditions.hidden_cells import HiddenCells, raster
from analysis.views.inlined import PHOTO_SIDE, data_url
from analysis.views.rendering import macros, render

if TYPE_CHECKING:
    from markupsafe import Markup
    from PIL.Image import Image


def open_html() -> Markup:
    """Return the button that opens the raster."""
    return macros("tag/macros").ask("data-paint", "open", "Hide a part of the photo")


def painting_html(photo: Image) -> Markup:
    """Return a photo under its raster."""
    rows, columns = raster(photo.size)
    return render("tag/painting", rows=rows, columns=columns, data=data_url(photo, side=PHOTO_SIDE))


def painting_problem_html(sentence: str) -> Markup:
    """Return the sentence about a problem in the place of what was asked for."""
    return macros("tag/macros").problem(sentence)


def hidden_title(hidden: HiddenCells) -> str:
    """Say how much of a photo is hidden, for the heading of an answer."""
    return f"With {hidden.share:.0%} of it hidden"

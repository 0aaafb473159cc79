"""Drop-downs that set parameters of the address."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analysis.views.rendering import render

if TYPE_CHECKING:
    from markupsafe import Markup


def choices_html(*selects: tuple[str, str, dict[str, str], str]) -> Markup:
    """Return drop-downs side by side, each given by its label, parameter, choices and the one that is chosen."""
    names = ("label", "name", "choices", "chosen")
    return render("research/choices", selects=[dict(zip(names, one, strict=True)) for one in selects])

"""Two answers side by side as HTML: names marked in both texts, their probabilities, heat maps, differences marked."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from analysis.palette import text_colour, type_colours
from analysis.views.heat_map.rendered import MapControls, render_heat_map
from analysis.views.marks import Mark, escape_html, marked_text
from analysis.views.tag.comparison import Change, Comparison

if TYPE_CHECKING:
    from PIL.Image import Image

    from analysis.views.questions import TagAnswer

NOTABLE = 0.05
"""A change of probability from which on it is marked."""
_COMPARISON = """<section class="wb-asking wb-comparison" aria-label="Two answers side by side">
<p class="wb-summary" role="status">{summary}</p><div class="wb-sides">{sides}</div>{table}{fine}</section>"""
_SIDE = '<div class="wb-side"><h4>{title}</h4>{text}{map}</div>'
_MAP = '<figure class="wb-side-map"><img src="{data}" alt="{alternative}"><figcaption>{caption}</figcaption></figure>'
_TABLE = """<div class="wb-scroll" tabindex="0" role="region" aria-label="Names of both answers"><table class="wb-grid">
<thead><tr><th scope="col">Name</th><th scope="col">Type</th>{titles}<th scope="col">Change</th></tr></thead>
<tbody>{rows}</tbody></table></div>"""
_ROW = """<tr class="wb-role-{kind}"><th scope="row"><button type="button" class="wb-name" data-entity="{index}"
aria-pressed="{pressed}">{name}</button></th><td>
<span class="wb-type" style="--mark:{colour};--mark-text:{text_colour}">{type}</span></td>
<td class="wb-number">{one}</td><td class="wb-number">{other}</td><td>{change}</td></tr>"""
_FINE = """<p class="wb-fine">Probabilities are exact (CRF) for these words with this type, marked or not; a change of
{notable} or more is set in colour. The maps show the mean attention of the chosen name, on one scale in both.</p>"""


def comparison_html(found: Comparison, titles: tuple[str, str], selected: int = 0) -> str:
    """Return two answers side by side.

    Args:
        found: the answers.
        titles: what to call each, in a few words.
        selected: number of the name, of ``found.changes``, whose heat maps are shown.
    """
    types = [t for answer in (found.one, found.other) for t in (answer.source.types if answer.source else ())]
    colours = type_colours(tuple(dict.fromkeys([*types, *(change.name.type for change in found.changes)])))
    chosen = found.changes[selected] if selected < len(found.changes) else None
    sides = [
        _SIDE.format(
            title=escape_html(title),
            text=marked_text(answer.prediction.text, _marks(found.changes, first), colours, selected=selected),
            map="" if chosen is None else _map_html(answer, chosen),
        )
        for title, answer, first in zip(titles, (found.one, found.other), (True, False), strict=True)
    ]
    rows = [_row_html(i, change, colours, i == selected) for i, change in enumerate(found.changes)]
    heads = "".join(f'<th scope="col">{escape_html(title)}</th>' for title in titles)
    return _COMPARISON.format(
        summary=escape_html(summary(found.changes)),
        sides="".join(sides),
        table=_TABLE.format(titles=heads, rows="".join(rows)) if rows else "",
        fine=_FINE.format(notable=NOTABLE) if rows else "",
    )


def summary(changes: Sequence[Change]) -> str:
    """Sum up in one or two sentences what became of the names."""
    if not changes:
        return "Neither answer has a name."
    n = len(changes)
    vanished = [change.name for change in changes if change.kind == "vanished"]
    added = [change.name for change in changes if change.kind == "added"]
    told = []
    for names, verb in ((vanished, "vanishes"), (added, "is added")):
        told += [f"“{name.text}” ({name.type}) {verb}" for name in names]
    if told:
        return f"{', '.join(told)}; {n - len(told)} of {n} names are the same."
    largest = max(changes, key=lambda change: abs(change.difference or 0.0))
    same = "The name is the same" if n == 1 else f"All {n} names are the same"
    if abs(largest.difference or 0.0) < NOTABLE:
        return f"{same}; no probability changes by {NOTABLE} or more."
    return f"{same}. Most changed: “{largest.name.text}”, {_change(largest)}."


def _marks(changes: Sequence[Change], first: bool) -> list[Mark]:
    """Return the names that one answer marks, those that the other lacks set off."""
    return [
        Mark(
            start=change.name.start,
            end=change.name.end,
            type=change.name.type,
            confidence=change.one if first else change.other,
            index=i,
            changed=change.kind != "kept",
        )
        for i, change in enumerate(changes)
        if (change.in_one if first else change.in_other)
    ]


def _map_html(answer: TagAnswer, change: Change) -> str:
    """Draw where an answer looks for the words of a name, which it need not take for one."""
    prediction = answer.prediction
    if answer.photo is None:
        return ""
    if not prediction.attention:
        return _MAP.format(data=data_url(answer.photo), alternative="The photo", caption="No heat map: text only.")
    of_name = replace(answer, prediction=replace(prediction, entities=(change.name,)))
    drawn = render_heat_map(of_name, 0, MapControls())
    caption = escape_html(drawn.alternative)
    return _MAP.format(data=data_url(drawn.image), alternative=caption, caption=caption)


def data_url(image: Image, side: int = 640) -> str:
    """Return an image, no larger than so many pixels, as an address that carries it: no file has to be guarded."""
    small, buffer = image.convert("RGB"), io.BytesIO()
    small.thumbnail((side, side))
    small.save(buffer, "WEBP", quality=80)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _row_html(index: int, change: Change, colours: Mapping[str, str], pressed: bool) -> str:
    colour = colours[change.name.type]
    notable = change.kind != "kept" or abs(change.difference or 0.0) >= NOTABLE
    return _ROW.format(
        kind="changed" if notable else "plain",
        index=index,
        pressed=str(pressed).lower(),
        name=escape_html(change.name.text),
        type=escape_html(change.name.type),
        colour=colour,
        text_colour=text_colour(colour),
        one=_probability(change.one, change.in_one),
        other=_probability(change.other, change.in_other),
        change=escape_html(_change(change)),
    )


def _probability(value: float | None, marked: bool) -> str:
    if value is None:
        return "type not known"
    return f"{value:.2f}" if marked else f"{value:.2f}, not marked"


def _change(change: Change) -> str:
    # To two decimals first, or a change too small to show would have a sign.
    difference = "" if change.difference is None else f"{round(change.difference, 2) + 0.0:+.2f}".replace("-", "−")
    if change.kind == "kept":
        return difference
    return f"{change.kind} ({difference})" if difference else change.kind

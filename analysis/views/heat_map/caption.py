"""The caption of a heat map as HTML: what it shows, where it is brightest, how the attention divides."""

from __future__ import annotations

from analysis.views.heat_map.described import describe_place, describe_shares
from analysis.views.heat_map.entity_map import EntityMap
from analysis.views.heat_map.kinds import KINDS, Kind
from analysis.views.heat_map.overlay import colour_bar
from analysis.views.marks import escape_html

_CAPTION = """<div class="wb-caption" role="status"><h4>{title}</h4><p>{place}</p><p>{shares}</p>{bar}
<p class="wb-fine">{fine}</p></div>"""
_BAR = """<figure class="wb-bar" role="img" aria-label="{label}"><div class="wb-bar-colours"
style="background:{colours}"></div><div class="wb-bar-numbers" aria-hidden="true">{numbers}</div>
<figcaption>{unit}</figcaption></figure>"""
_SHUFFLED = "Shuffled places for “{}”, to compare"
_FINE = "Compare with shuffled places before you read meaning into a map. Dimmed border: the model never saw it."


def caption_html(entity: EntityMap) -> str:
    """Return the caption of one name's map: title, where it is brightest, shares of the attention, colour bar."""
    mapped, kind = entity.cells is not None, KINDS[entity.kind]
    title = _SHUFFLED if entity.shuffled else kind.title
    return _CAPTION.format(
        title=escape_html(title.format(entity.name.text)),
        place=escape_html(describe_place(entity)),
        shares=escape_html(describe_shares(entity)),
        bar=_bar_html(kind) if mapped else "",
        fine=escape_html(f"{kind.fine} {_FINE}" if mapped else kind.fine),
    )


def problem_caption(sentence: str) -> str:
    """Return the sentence about a problem in the caption's place."""
    return f'<p class="wb-caption wb-fine" role="alert">{escape_html(sentence)}</p>'


def _bar_html(kind: Kind) -> str:
    return _BAR.format(
        label=escape_html(f"Colour bar from black, {kind.stops[0]}, to pale yellow, {kind.stops[-1]}: {kind.unit}"),
        colours=f"linear-gradient(to right, {', '.join(colour_bar(12))})",
        numbers="".join(f"<span>{stop}</span>" for stop in kind.stops),
        unit=escape_html(kind.unit),
    )

"""HTML beside a heat map: what it shows, where it is brightest, how the attention divides, and its colour bar."""

from __future__ import annotations

from analysis.views.heatmap import SCALE_TOP, EntityMap, describe_place, describe_shares
from analysis.views.marks import shown
from analysis.views.overlay import colour_bar

_CAPTION = """<div class="wb-caption" role="status"><h4>{title}</h4><p>{place}</p><p>{shares}</p>{bar}
<p class="wb-fine">{fine}</p></div>"""
_BAR = """<figure class="wb-bar" role="img" aria-label="{label}"><div class="wb-bar-colours"
style="background:{colours}"></div><div class="wb-bar-numbers" aria-hidden="true">{numbers}</div>
<figcaption>times an even spread; the scale is the same for every name, head and photo</figcaption></figure>"""
_FINE = (
    "Attention says where the model looked, not why it answered. Compare with shuffled places before you read "
    "meaning into a map. Dimmed border: the model never saw it."
)
_FINE_NO_MAP = "Attention says where the model looked, not why it answered."


def caption_html(entity: EntityMap, name: str) -> str:
    """Return the caption of one name's map: title, where it is brightest, shares, colour bar."""
    mapped = entity.cells is not None
    title = f"Shuffled places for “{name}”, to compare" if entity.shuffled else f"Where the model looked for “{name}”"
    return _CAPTION.format(
        title=shown(title),
        place=shown(describe_place(entity, name)),
        shares=shown(describe_shares(entity)),
        bar=_bar_html() if mapped else "",
        fine=_FINE if mapped else _FINE_NO_MAP,
    )


def problem_caption(sentence: str) -> str:
    """Return the sentence about a problem in the caption's place."""
    return f'<p class="wb-caption wb-fine" role="alert">{shown(sentence)}</p>'


def _bar_html() -> str:
    stops = [f"{level:g}×" for level in (0, SCALE_TOP / 4, SCALE_TOP / 2, 3 * SCALE_TOP / 4)]
    stops.append(f"≥ {SCALE_TOP:g}×")
    return _BAR.format(
        label=f"Colour bar from black, 0, to pale yellow, {SCALE_TOP:g} times an even spread or more",
        colours=f"linear-gradient(to right, {', '.join(colour_bar(12))})",
        numbers="".join(f"<span>{stop}</span>" for stop in stops),
    )

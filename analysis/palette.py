"""Fonts and colour-blind safe colours: one colour per entity type, and the colour scale of heat maps.

Type colours are those of Okabe and Ito, "Color Universal Design" (2008); the scale is matplotlib's *inferno*, whose
lightness rises steadily, so that it also reads in grey.
"""

from __future__ import annotations

import colorsys
from collections.abc import Sequence

import numpy as np

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica Neue", "sans-serif")
MONO_FONTS = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
_OKABE_ITO = {
    "PER": "#E69F00",
    "LOC": "#009E73",
    "ORG": "#56B4E9",
    "MISC": "#CC79A7",
}
_SPARE = ("#F0E442", "#0072B2", "#D55E00", "#999999")

# Ten evenly spaced anchors of inferno, linearly interpolated.
_INFERNO = np.array(
    [
        (0, 0, 4), (27, 12, 65), (74, 12, 107), (120, 28, 109), (165, 44, 96),
        (207, 68, 70), (237, 105, 37), (251, 155, 6), (247, 209, 61), (252, 255, 164),
    ],
    dtype=np.float64,
)  # fmt: skip


def type_colours(types: Sequence[str]) -> dict[str, str]:
    """Give each entity type its own colour, as ``#RRGGBB``.

    The four usual types keep their colour in every label set; others take the spare ones in order, then evenly
    turned hues, so a label set of any size works.
    """
    others = [t for t in types if t not in _OKABE_ITO]
    spare = dict(zip(others, _SPARE, strict=False))
    turned = others[len(_SPARE) :]
    for i, entity_type in enumerate(turned):
        red, green, blue = colorsys.hls_to_rgb(i / len(turned), 0.65, 0.55)
        spare[entity_type] = f"#{round(red * 255):02X}{round(green * 255):02X}{round(blue * 255):02X}"
    return {t: _OKABE_ITO.get(t) or spare[t] for t in types}


def luminance(colour: str) -> float:
    """Return the relative luminance (0 to 1) of ``#RRGGBB``, as WCAG 2.2 defines it."""
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(first: str, second: str) -> float:
    """Return the WCAG contrast ratio of two colours, 1 to 21."""
    light, dark = sorted((luminance(first), luminance(second)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def text_colour(background: str) -> str:
    """Choose near-black or white, whichever reads better on ``background``.

    One of pure black and pure white always reaches 4.58:1 (the worst background has luminance 0.179).
    """
    return max(("#000000", "#FFFFFF"), key=lambda text: contrast(background, text))


def heat_colours(levels: np.ndarray) -> np.ndarray:
    """Map levels from 0 to 1, of any shape, to inferno colours [..., 3] from 0 to 255; values outside are clipped."""
    anchors = np.linspace(0.0, 1.0, len(_INFERNO))
    clipped = np.clip(levels, 0.0, 1.0)
    return np.stack([np.interp(clipped, anchors, channel) for channel in _INFERNO.T], axis=-1)

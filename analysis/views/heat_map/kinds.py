"""The kinds of heat map: what each is called, what its colours stand for, how well it points.

Every colour scale is absolute. A map stretched to its own maximum looks as vivid for a model that ignores the photo as
for one that studies it; on these scales the former stays dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from analysis.views.measured import Pointing
from mmner_core.errors import InputError

ATTENTION, GRADIENT, OCCLUSION = "attention", "gradient", "occlusion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """A kind of heat map.

    Attributes:
        name: for the visitor.
        title: of a map, with "{}" for whose it is.
        top: value at which the colour scale ends.
        stops: what the scale reads at its start, its quarters and its end.
        unit: what the numbers of the scale are.
        fine: what to know before reading meaning into such a map.
    """

    name: str
    title: str
    top: float
    stops: tuple[str, str, str, str, str]
    unit: str
    fine: str


KINDS = {
    ATTENTION: Kind(
        name="Attention",
        title="Where the model looked for “{}”",
        top=8.0,  # level 1 is an even spread, the share each key would get if the name looked at all keys alike
        stops=("0×", "2×", "4×", "6×", "≥ 8×"),
        unit="times an even spread; the scale is the same for every name, head and photo",
        fine="Attention says where the model looked, not why it answered.",
    ),
    GRADIENT: Kind(
        name="Gradient-weighted attention",
        title="What the model looked at that spoke for “{}”",
        top=0.08,
        stops=("0%", "2%", "4%", "6%", "≥ 8%"),
        unit="by so much of itself the name's probability rests on the attention there, to first order; the scale is "
        "the same for every name and photo",
        fine="It says which of the attention spoke for the answer, as far as a straight line can tell.",
    ),
    OCCLUSION: Kind(
        name="Occlusion",
        title="What the answer for “{}” needs of the photo",
        top=0.4,
        stops=("0", "0.1", "0.2", "0.3", "≥ 0.4"),
        unit="by so much the name's probability falls when this part is covered with grey; the scale is the same for "
        "every name and photo",
        fine="A grey patch is itself something that the model has not seen before, and two parts that each suffice "
        "hide one another.",
    ),
}


def kind_of(value: object) -> Kind:
    """Return the kind of that value.

    Raises:
        InputError: if there is none.
    """
    if not isinstance(value, str) or value not in KINDS:
        raise InputError(f"There is no such kind of heat map; choose one of {', '.join(KINDS)}.")
    return KINDS[value]


def kind_choices(pointing: Mapping[str, Pointing]) -> list[tuple[str, str]]:
    """Return label and value of each kind; the label says how well it points, where that was measured.

    Args:
        pointing: by the value of the kind.
    """
    return [
        (kind.name if value not in pointing else f"{kind.name} ({pointing[value].phrase})", value)
        for value, kind in KINDS.items()
    ]

"""Describes a heat map in words: where it is brightest, how the attention divides."""

from __future__ import annotations

import numpy as np

from analysis.views.heat_map.entity_map import EntityMap
from analysis.views.heat_map.kinds import ATTENTION, GRADIENT

_ROWS = ("upper", "middle", "lower")
_COLUMNS = ("left", "centre", "right")
_NOTABLE = 0.005  # a smaller fall of probability does not show in two decimals, a smaller share of it is no per cent


def describe_place(entity: EntityMap) -> str:
    """Say in one sentence where the map is brightest, and by how much."""
    if entity.cells is None:
        return (
            "This stream has no map: the model takes the photo here as one vector, so there is no place to point "
            "at. Choose another stream."
        )
    rows, columns = entity.cells.shape
    row, column = (int(i) for i in np.unravel_index(entity.cells.argmax(), entity.cells.shape))
    most = float(entity.cells[row, column])
    name = f"“{entity.name.text}”"
    where = f"the {region(row, column, rows, columns)} of what the model saw"
    cell = f"row {row + 1}, column {column + 1} of {rows} × {columns}"
    if entity.kind == ATTENTION:
        subject = f"Shuffled map of {name}" if entity.shuffled else name
        return (
            f"{subject} is brightest in {where} ({cell}): {percent(most)} of its attention on that one cell, "
            f"{most / entity.even:.1f} times an even spread."
        )
    subject = f"Shuffled map of {name}: " if entity.shuffled else ""
    answer = f"{name} being {entity.name.type}"
    if entity.kind == GRADIENT:
        if most < _NOTABLE:
            return f"{subject}The probability of {answer} hardly rests on what the name looks at."
        share = f"{percent(most)} of that probability, to first order"
        return f"{subject}The probability of {answer} rests most on the attention to {where} ({cell}): {share}."
    if most < _NOTABLE:
        return f"{subject}Covering no single part of the photo lowers the probability of {answer}."
    return f"{subject}Covering {where} ({cell}) lowers the probability of {answer} most, by {most:.2f}."


def describe_shares(entity: EntityMap) -> str:
    """Say in one sentence how the attention divides between places, whole-image token and "no image" key."""
    parts = []
    if entity.places_share is not None:
        parts.append(f"{percent(entity.places_share)} on places in the photo")
    if entity.whole_share is not None:
        parts.append(f"{percent(entity.whole_share)} on the whole-image token")
    if entity.null_share is not None:
        parts.append(f"{percent(entity.null_share)} on the “no image” key, that is, on nothing in the photo")
    if not parts:
        return "All attention in this stream goes to one vector of the whole photo."
    return f"Attention of this name: {', '.join(parts)}."


def region(row: int, column: int, rows: int, columns: int) -> str:
    """Name the ninth of the image a cell lies in, such as ``upper left`` or ``centre``."""
    vertical = _ROWS[int(3 * (row + 0.5) / rows)]
    horizontal = _COLUMNS[int(3 * (column + 0.5) / columns)]
    return "centre" if (vertical, horizontal) == ("middle", "centre") else f"{vertical} {horizontal}"


def percent(share: float) -> str:
    """Write a share from 0 to 1 as whole per cent, or one decimal below one per cent."""
    return f"{share:.0%}" if share >= 0.01 or share == 0 else f"{share:.1%}"

"""Where a name looked in the photo: the numbers of one attention map, and the sentences that go with it.

The colour scale is absolute. Level 1x is an even spread, the share each key would get if the name looked at all keys
alike; the scale ends at 8x for every name, stream, head and photo. A map stretched to its own maximum looks as vivid
for a model that ignores the photo as for one that studies it; on this scale the former stays dark.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mmner_core.errors import InputError
from mmner_core.results import AttentionMap, Prediction

SCALE_TOP = 8.0  # multiples of an even spread at which the colour scale ends
_ROWS = ("upper", "middle", "lower")
_COLUMNS = ("left", "centre", "right")


@dataclass(frozen=True, slots=True, kw_only=True)
class MapChoice:
    """Which map to show.

    Attributes:
        entity: index into the prediction's entities.
        stream: image stream, a key of ``Prediction.attention``.
        head: attention head, or None for the mean over heads.
        shuffled: put the same values at random places instead (a baseline to compare with).
    """

    entity: int
    stream: str
    head: int | None = None
    shuffled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityMap:
    """Attention of one name, averaged over its words.

    Attributes:
        cells: [rows, columns] share of attention per cell of the crop; None where the stream has no places.
        even: the share of each key under an even spread, 1 / K.
        null_share: share on the learnt "no image" key, None without one.
        whole_share: share on the whole-image token, None without one.
        shuffled: whether ``cells`` were shuffled.
    """

    cells: np.ndarray | None
    even: float
    null_share: float | None
    whole_share: float | None
    shuffled: bool = False

    def levels(self) -> np.ndarray:
        """Return the cells in multiples of an even spread, [rows, columns].

        Raises:
            ValueError: if the stream has no map.
        """
        if self.cells is None:
            raise ValueError("This stream has no map.")
        return self.cells / self.even


def entity_map(prediction: Prediction, choice: MapChoice) -> EntityMap:
    """Average the attention of one name over its words, and over heads unless one is chosen.

    Raises:
        InputError: if the name, stream or head does not exist.
    """
    attention = _stream(prediction, choice.stream)
    if not 0 <= choice.entity < len(prediction.entities):
        raise InputError(f"There is no name number {choice.entity + 1}; {len(prediction.entities)} were found.")
    n_heads, _, n_keys = attention.weights.shape
    if choice.head is not None and not 0 <= choice.head < n_heads:
        raise InputError(f"There is no head {choice.head + 1}; this stream has {n_heads}.")
    entity = prediction.entities[choice.entity]
    heads = slice(None) if choice.head is None else slice(choice.head, choice.head + 1)
    span = slice(entity.word_start, entity.word_end)

    def mean(shares: np.ndarray) -> np.ndarray:  # [H, W, ...] -> [...]
        return shares[heads, span].astype(np.float64).mean(axis=(0, 1))

    cells = mean(attention.cells()) if has_places(attention) else None
    if cells is not None and choice.shuffled:
        # The seed is the name's place in the sentence, so that the baseline stays the same on every visit.
        cells = np.random.default_rng(choice.entity).permutation(cells.ravel()).reshape(cells.shape)
    null, whole = attention.null_share(), attention.whole_share()
    return EntityMap(
        cells=cells,
        even=1.0 / n_keys,
        null_share=None if null is None else float(mean(null)),
        whole_share=None if whole is None else float(mean(whole)),
        shuffled=choice.shuffled and cells is not None,
    )


def has_places(attention: AttentionMap) -> bool:
    """Say whether the stream's keys are places in the photo."""
    return attention.grid[0] * attention.grid[1] > 0


def best_stream(prediction: Prediction) -> str | None:
    """Return the first stream that has a map, else the first stream, else None (no image)."""
    mapped = (name for name, attention in prediction.attention.items() if has_places(attention))
    return next(mapped, next(iter(prediction.attention), None))


def describe_place(entity: EntityMap, name: str) -> str:
    """Say in one sentence where the map of ``name`` is brightest, for those who cannot see it."""
    if entity.cells is None:
        return (
            "This stream has no map: the model takes the photo here as one vector, so there is no place to point "
            "at. Choose another stream."
        )
    rows, columns = entity.cells.shape
    row, column = (int(i) for i in np.unravel_index(entity.cells.argmax(), entity.cells.shape))
    share = float(entity.cells[row, column])
    subject = f"Shuffled map of “{name}”" if entity.shuffled else f"“{name}”"
    return (
        f"{subject} is brightest in the {region(row, column, rows, columns)} of what the model saw (row {row + 1}, "
        f"column {column + 1} of {rows} × {columns}): {percent(share)} of its attention on that one cell, "
        f"{share / entity.even:.1f} times an even spread."
    )


def describe_shares(entity: EntityMap) -> str:
    """Say in one sentence how the attention divides between places, whole-image token and "no image" key."""
    parts = []
    if entity.cells is not None:
        parts.append(f"{percent(float(entity.cells.sum()))} on places in the photo")
    if entity.whole_share is not None:
        parts.append(f"{percent(entity.whole_share)} on the whole-image token")
    if entity.null_share is not None:
        parts.append(f"{percent(entity.null_share)} on the learnt “no image” key, that is, on nothing in the photo")
    if not parts:
        return "All attention in this stream goes to one vector of the whole photo."
    return f"Attention of this name: {', '.join(parts)}."


def region(row: int, column: int, rows: int, columns: int) -> str:
    """Name the ninth of the picture a cell lies in, such as ``upper left`` or ``centre``."""
    vertical = _ROWS[int(3 * (row + 0.5) / rows)]
    horizontal = _COLUMNS[int(3 * (column + 0.5) / columns)]
    return "centre" if (vertical, horizontal) == ("middle", "centre") else f"{vertical} {horizontal}"


def percent(share: float) -> str:
    """Write a share from 0 to 1 as whole per cent, or one decimal below one per cent."""
    return f"{share:.0%}" if share >= 0.01 or share == 0 else f"{share:.1%}"


def _stream(prediction: Prediction, name: str) -> AttentionMap:
    if not prediction.attention:
        raise InputError("There is no heat map without a photo; add one and run again.")
    if name not in prediction.attention:
        raise InputError(f"There is no stream {name!r}; this model has {', '.join(prediction.attention)}.")
    return prediction.attention[name]

"""The numbers of one heat map: where a name's attention lies on the image."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.views.heat_map.kinds import ATTENTION, KINDS
from mmner_core.errors import InputError
from mmner_core.results import AttentionMap, Prediction, TaggedEntity

MEAN = "mean"
"""In place of a stream: the mean over those that have the same cells."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MapChoice:
    """Which map to show.

    Attributes:
        entity: index into the prediction's entities.
        stream: image stream, a key of ``Prediction.attention``, or ``MEAN``.
        head: attention head, or None for the mean over heads.
        shuffled: put the same values at random places instead (a baseline to compare with).
    """

    entity: int
    stream: str
    head: int | None = None
    shuffled: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EntityMap:
    """A heat map of one name, and how its attention divides, averaged over its words.

    Attributes:
        name: whose map it is.
        cells: [rows, columns] over the crop; None where the stream has no places. Of attention the share of each cell;
            of other kinds see :func:`analysis.views.heat_map.computed.compute_map`.
        even: the share of each key under an even spread, 1 / K.
        null_share: share on the "no image" key, None without one.
        whole_share: share on the whole-image token, None without one.
        places_share: share on places in the photo, None without any.
        kind: of the map, a key of :data:`analysis.views.heat_map.kinds.KINDS`.
        shuffled: whether ``cells`` were shuffled.
    """

    name: TaggedEntity
    cells: np.ndarray | None
    even: float
    null_share: float | None
    whole_share: float | None
    places_share: float | None
    kind: str = ATTENTION
    shuffled: bool = False

    def levels(self) -> np.ndarray:
        """Return where each cell stands on the colour scale, [rows, columns]: 0 at its start, 1 at its end.

        Raises:
            ValueError: if the stream has no map.
        """
        if self.cells is None:
            raise ValueError("This stream has no map.")
        return self.cells / (KINDS[self.kind].top * (self.even if self.kind == ATTENTION else 1.0))


def entity_map(
    prediction: Prediction, choice: MapChoice, *, kind: str = ATTENTION, computed: np.ndarray | None = None
) -> EntityMap:
    """Average the attention of one name over its words, and over streams and heads unless one is chosen.

    Args:
        prediction: has the name.
        choice: which map.
        kind: of the map.
        computed: [rows, columns], for kinds other than attention.

    Raises:
        InputError: if the name, stream or head does not exist.
    """
    streams = _streams(prediction, choice.stream)
    entity = entity_at(prediction, choice.entity)
    n_heads = streams[0].weights.shape[0]
    if choice.head is not None and not 0 <= choice.head < n_heads:
        raise InputError(f"There is no head {choice.head + 1}; this stream has {n_heads}.")
    heads = slice(None) if choice.head is None else slice(choice.head, choice.head + 1)
    span = slice(entity.word_start, entity.word_end)

    def mean(shares: list[np.ndarray | None]) -> np.ndarray | None:  # per stream [H, W, ...] -> [...]
        known = [own[heads, span].astype(np.float64).mean(axis=(0, 1)) for own in shares if own is not None]
        return sum(known[1:], known[0]) / len(shares) if known else None  # a stream without such keys has none on them

    attended = mean([own.cells() if has_places(own) else None for own in streams])
    cells = attended if kind == ATTENTION else computed
    if cells is not None and choice.shuffled:
        # The seed is the name's place in the sentence, so that the baseline stays the same on every visit.
        cells = np.random.default_rng(choice.entity).permutation(cells.ravel()).reshape(cells.shape)
    null, whole = mean([own.null_share() for own in streams]), mean([own.whole_share() for own in streams])
    return EntityMap(
        name=entity,
        cells=cells,
        even=float(np.mean([1.0 / own.weights.shape[-1] for own in streams])),
        null_share=None if null is None else float(null),
        whole_share=None if whole is None else float(whole),
        places_share=None if attended is None else float(attended.sum()),
        kind=kind,
        shuffled=choice.shuffled and cells is not None,
    )


def entity_at(prediction: Prediction, number: object) -> TaggedEntity:
    """Return the name of that number, from 0.

    Raises:
        InputError: if there is none.
    """
    if not isinstance(number, int):
        raise InputError("The name of a heat map is given by its number, from 0.")
    if not 0 <= number < len(prediction.entities):
        raise InputError(f"There is no name number {number + 1}; {len(prediction.entities)} were found.")
    return prediction.entities[number]


def has_places(attention: AttentionMap) -> bool:
    """Say whether the stream's keys are places in the photo."""
    return attention.grid[0] * attention.grid[1] > 0


def alike_streams(prediction: Prediction) -> list[str]:
    """Return the streams whose maps can be averaged: those that have the cells of the first that has any."""
    grids = {stream: own.grid for stream, own in prediction.attention.items() if has_places(own)}
    first = next(iter(grids.values()), None)
    return [stream for stream, grid in grids.items() if grid == first]


def best_stream(prediction: Prediction) -> str | None:
    """Return what to show first: the mean of the streams that have maps, else any stream, None without an image."""
    mapped = alike_streams(prediction)
    return MEAN if len(mapped) > 1 else next(iter(mapped or prediction.attention), None)


def _streams(prediction: Prediction, name: str) -> list[AttentionMap]:
    """Return the stream of that name, or those that are averaged."""
    if not prediction.attention:
        raise InputError("There is no heat map without a photo; add one and run again.")
    if name == MEAN and (alike := alike_streams(prediction)):
        return [prediction.attention[stream] for stream in alike]
    if name not in prediction.attention:
        raise InputError(f"There is no stream {name!r}; this model has {', '.join(prediction.attention)}.")
    return [prediction.attention[name]]

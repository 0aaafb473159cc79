"""A heat map rendered for the page: the image, its text alternative, its caption, and the choices of its controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.views.heat_map.caption import caption_html
from analysis.views.heat_map.described import describe_place
from analysis.views.heat_map.entity_map import MEAN, MapChoice, alike_streams, best_stream, entity_map, has_places
from analysis.views.heat_map.kinds import ATTENTION, kind_of
from analysis.views.heat_map.overlay import DrawStyle, draw_overlay
from analysis.views.questions import TagAnswer, TagQuestion
from mmner_core.errors import InputError
from mmner_core.results import Prediction

if TYPE_CHECKING:
    import numpy as np
    from markupsafe import Markup
    from PIL.Image import Image

    from analysis.views.service import TagService

STREAM_NAMES = {"vit": "ViT stream", "cnn": "CNN stream"}


@dataclass(frozen=True, slots=True, kw_only=True)
class RenderedHeatMap:
    """An image with the heat map of one entity over it, its text alternative, its caption."""

    image: Image
    alternative: str
    caption: Markup


@dataclass(frozen=True, slots=True)
class MapControls:
    """The values of the heat map's controls, as the page or a program has sent them.

    Stream and head are of attention alone; ``MEAN`` is the mean over those that there are, and no stream the one that
    is shown first.

    Raises:
        InputError: if they are not of the kind that the controls have.
    """

    stream: str = ""
    head: str = MEAN
    opacity: float = 0.5
    cells: bool = False
    shuffled: bool = False
    kind: str = ATTENTION

    def __post_init__(self) -> None:
        if not (isinstance(self.stream, str) and isinstance(self.head, str)):
            raise InputError("The stream and the head of a heat map are given by their names.")
        kind_of(self.kind)
        if not (isinstance(self.opacity, int | float) and 0 <= self.opacity <= 1):
            raise InputError("The opacity of a heat map is a number from 0 to 1.")


def stream_choices(prediction: Prediction) -> list[tuple[str, str]]:
    """Return label and value of each image stream, the mean first; the label says what a word can look at there."""
    mean = [("Mean over streams", MEAN)] if len(alike_streams(prediction)) > 1 else []
    return mean + [
        (
            f"{STREAM_NAMES.get(stream, stream)}: "
            + ("{} × {} cells".format(*a.grid) if has_places(a) else "whole photo"),
            stream,
        )
        for stream, a in prediction.attention.items()
    ]


def head_choices(prediction: Prediction) -> list[tuple[str, str]]:
    """Return label and value of each attention head, of which all streams have as many, the mean over all first."""
    heads = range(next(iter(prediction.attention.values())).weights.shape[0])
    return [("Mean over heads", MEAN), *((f"Head {head + 1}", str(head)) for head in heads)]


def render_heat_map(
    answer: TagAnswer, entity: int, controls: MapControls, computed: np.ndarray | None = None
) -> RenderedHeatMap:
    """Draw the map of one name over the photo of an answer.

    A stream without places gives the photo alone, with the crop, and a caption that says so.

    Args:
        answer: has the name.
        entity: its number.
        controls: what to draw.
        computed: what :meth:`TagService.computed_map` returned for the name and kind.

    Raises:
        InputError: if the name, stream or head does not exist, or there is no photo.
    """
    prediction, photo = answer.prediction, answer.photo
    head = None if controls.head == MEAN else _head_index(controls.head)
    stream = controls.stream or best_stream(prediction) or ""
    choice = MapChoice(entity=entity, stream=stream, head=head, shuffled=controls.shuffled)
    found = entity_map(prediction, choice, kind=controls.kind, computed=computed)
    if photo is None or prediction.crop is None or prediction.image_size is None:
        raise InputError("There is no photo to draw on; add one and run again.")
    levels = None if found.cells is None else found.levels()
    style = DrawStyle(opacity=controls.opacity, smooth=not controls.cells)
    return RenderedHeatMap(
        image=draw_overlay(photo, levels, prediction.crop, prediction.image_size, style),
        alternative=describe_place(found),
        caption=caption_html(found),
    )


def render_requested_heat_map(
    service: TagService, question: TagQuestion, entity: int, controls: MapControls
) -> RenderedHeatMap:
    """Draw the map of one name of the answer to a question, computed by the model if it is not known yet.

    Raises:
        InputError: as :func:`render_heat_map`, or if the question cannot be answered, or the model has no such map.
    """
    answer = service.answer(question)
    return render_heat_map(answer, entity, controls, service.computed_map(question, answer, entity, controls.kind))


def _head_index(head: str) -> int:
    if not (head.isascii() and head.isdigit() and len(head) < 4):
        raise InputError(f"Head {head!r} does not exist; give {MEAN!r} or a number from 0.")
    return int(head)

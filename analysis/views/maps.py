"""One heat map as the page needs it: the choices of its controls, the picture, its text alternative, its caption."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from analysis.views.caption import caption_html
from analysis.views.heatmap import MapChoice, describe_place, entity_map, has_places
from analysis.views.overlay import DrawStyle, draw_overlay
from analysis.views.service import Answer
from mmner_core.errors import InputError
from mmner_core.results import Prediction

if TYPE_CHECKING:
    from PIL.Image import Image

STREAM_NAMES = {"vit": "ViT stream", "cnn": "CNN stream"}
MEAN = "mean"  # the head control's value for all heads at once


@dataclass(frozen=True, slots=True, kw_only=True)
class DrawnMap:
    """A photo with a name's attention over it, its text alternative, its caption as HTML."""

    image: Image
    alternative: str
    caption: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MapControls:
    """The values of the heat map's controls, as the page or a program has sent them.

    Raises:
        InputError: if they are not of the kind that the controls have.
    """

    stream: str
    head: str = MEAN
    opacity: float = 0.5
    cells: bool = False
    shuffled: bool = False

    def __post_init__(self) -> None:
        if not (isinstance(self.stream, str) and isinstance(self.head, str)):
            raise InputError("The stream and the head of a heat map are given by their names.")
        if not (isinstance(self.opacity, int | float) and 0 <= self.opacity <= 1):
            raise InputError("The opacity of a heat map is a number from 0 to 1.")


def stream_choices(prediction: Prediction) -> list[tuple[str, str]]:
    """Return label and value of each image stream; the label says what a word can look at there."""
    return [
        (
            f"{STREAM_NAMES.get(stream, stream)}: "
            + ("{} × {} cells".format(*a.grid) if has_places(a) else "whole photo"),
            stream,
        )
        for stream, a in prediction.attention.items()
    ]


def head_choices(prediction: Prediction, stream: str) -> list[tuple[str, str]]:
    """Return label and value of each attention head, the mean over all first."""
    heads = range(prediction.attention[stream].weights.shape[0])
    return [("Mean over heads", MEAN), *((f"Head {head + 1}", str(head)) for head in heads)]


def draw_map(answer: Answer, entity: int, controls: MapControls) -> DrawnMap:
    """Draw the map of one name over the photo of an answer.

    A stream without places gives the photo alone, with the crop, and a caption that says so.

    Raises:
        InputError: if the name, stream or head does not exist, or there is no photo.
    """
    prediction, photo = answer.prediction, answer.photo
    if not isinstance(entity, int):
        raise InputError("The name of a heat map is given by its number, from 0.")
    head = None if controls.head == MEAN else _head_index(controls.head)
    choice = MapChoice(entity=entity, stream=controls.stream, head=head, shuffled=controls.shuffled)
    found = entity_map(prediction, choice)
    if photo is None or prediction.crop is None or prediction.image_size is None:
        raise InputError("There is no photo to draw on; add one and run again.")
    name = prediction.entities[entity].text
    levels = None if found.cells is None else found.levels()
    style = DrawStyle(opacity=controls.opacity, smooth=not controls.cells)
    return DrawnMap(
        image=draw_overlay(photo, levels, prediction.crop, prediction.image_size, style),
        alternative=describe_place(found, name),
        caption=caption_html(found, name),
    )


def _head_index(head: str) -> int:
    if not (head.isascii() and head.isdigit() and len(head) < 4):
        raise InputError(f"Head {head!r} does not exist; give {MEAN!r} or a number from 0.")
    return int(head)

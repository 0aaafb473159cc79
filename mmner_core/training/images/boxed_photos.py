"""Reads images with boxes around what they name, of one split."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mmner_core.data.boxes import read_box_lines
from mmner_core.data.example import SPLITS
from mmner_core.errors import InputError
from mmner_core.photos.mosaics import Box


@dataclass(frozen=True, slots=True)
class BoxedPhoto:
    """A photo and where in it a named thing is.

    Attributes:
        file: the photo.
        name: of the thing.
        type: of the name.
        boxes: where it is, as shares of the whole photo.
    """

    file: Path
    name: str
    type: str
    boxes: tuple[Box, ...]


def read_boxed_photos(table: Path, images: Path, split: str, types: Sequence[str]) -> list[BoxedPhoto]:
    """Read the photos of a split.

    Args:
        table: in the form of :mod:`mmner_core.data.boxes`, each line with its split.
        images: folder of the photos.
        split: rows of another split are not looked at.
        types: the model's types.

    Raises:
        InputError: naming line and field of what is missing or malformed, or if there is no row of the split.
    """
    photos = []
    for line in read_box_lines(table):
        if line.split is None:
            raise InputError(f"{line.where}: the field 'split' is missing; choose one of {', '.join(SPLITS)}.")
        if line.split != split:
            continue
        if line.type not in types:
            raise InputError(f"{line.where}: type {line.type!r} is none of {', '.join(types)}; correct it.")
        photos.append(BoxedPhoto(images / line.image, line.name, line.type, line.boxes))
    if not photos:
        raise InputError(f"{table} has no row of split {split!r}.")
    return photos

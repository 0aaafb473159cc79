"""Reads images with boxes around what they name, one JSON object a line: {image, type, boxes, name, split}."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

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
        table: JSON lines with image, name, type, boxes ([[left, top, right, bottom], ...], shares of the photo), split.
        images: folder of the photos.
        split: rows of another split are not looked at.
        types: the model's types.

    Raises:
        InputError: naming line and field of what is missing or malformed, or if there is no row of the split.
    """
    photos = []
    for number, line in enumerate(table.read_text(encoding="utf-8").splitlines(), start=1):
        row = _row(line, f"{table}:{number}")
        if row["split"] != split:
            continue
        if row["type"] not in types:
            raise InputError(f"{table}:{number}: type {row['type']!r} is none of {', '.join(types)}; correct it.")
        boxes = tuple(_box(values, f"{table}:{number}") for values in row["boxes"])
        photos.append(BoxedPhoto(images / row["image"], row["name"], row["type"], boxes))
    if not photos:
        raise InputError(f"{table} has no row of split {split!r}.")
    return photos


def _row(line: str, where: str) -> dict[str, Any]:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise InputError(f"{where}: not a JSON object ({error}); correct the line.") from None
    absent = {"image", "name", "type", "boxes", "split"} - set(row if isinstance(row, dict) else ())
    if absent or not isinstance(row["boxes"], list) or not row["boxes"]:
        raise InputError(f"{where}: no {', '.join(sorted(absent)) or 'box in boxes'}; add it.")
    return row


def _box(values: Any, where: str) -> Box:
    try:
        box = Box(*map(float, values))
    except (TypeError, ValueError):
        raise InputError(
            f"{where}: field boxes: {values!r} is not four numbers; write [left, top, right, bottom]."
        ) from None
    if not box.is_part:
        raise InputError(f"{where}: field boxes: {list(box)} does not lie within the photo; give shares from 0 to 1.")
    return box

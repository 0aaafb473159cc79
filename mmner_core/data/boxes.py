"""Reads images with boxes around what they show: one JSON object a line.

========== ==========================================================================================================
field      what it holds
========== ==========================================================================================================
image      file name of the image, below the folder of the images
name       what is named
type       its type
boxes      [[left, top, right, bottom], ...] as shares of the upright image's width and height, at least one
sentence   optional: a sentence that holds the name
language   optional: "en", "fr", "de" or "es"
split      optional: "train", "valid" or "test"
========== ==========================================================================================================

Other fields are not read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mmner_core.data.example import SPLITS, split_of
from mmner_core.data.text_files import read_lines
from mmner_core.errors import InputError
from mmner_core.photos.mosaics import Box
from mmner_core.runtime.json_files import parse_object
from mmner_core.text.language_names import LANGUAGES

_REMEDY = "give [[left, top, right, bottom], ...], shares from 0 to 1 of the photo's width and height"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxLine:
    """A line as it is written; the fields are those of the file.

    Attributes:
        where: ``file:line``.
    """

    image: str
    name: str
    type: str
    boxes: tuple[Box, ...]
    sentence: str | None
    language: str | None
    split: str | None
    where: str


def read_box_lines(file: Path) -> Iterator[BoxLine]:
    """Yield the lines of a file, skipping blank ones.

    Raises:
        InputError: naming file, line and field of what is missing or malformed.
    """
    for number, line in enumerate(read_lines(file), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            yield _box_line(parse_object(line, "image"), where)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error


def _box_line(record: dict[str, Any], where: str) -> BoxLine:
    return BoxLine(
        image=_text(record, "image"),
        name=_text(record, "name"),
        type=_text(record, "type"),
        boxes=_boxes(record.get("boxes")),
        sentence=_text(record, "sentence") if record.get("sentence") is not None else None,
        language=_choice(record, "language", tuple(LANGUAGES)),
        split=_choice(record, "split", SPLITS),
        where=where,
    )


def _text(record: dict[str, Any], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "missing" if value is None else "empty" if isinstance(value, str) else repr(value)[:40]
        raise InputError(f"the field {field!r} is {found}; give a text.")
    return value.strip()


def _choice(record: dict[str, Any], field: str, known: Sequence[str]) -> str | None:
    if record.get(field) is None:
        return None
    value = split_of(_text(record, field))
    if value not in known:
        raise InputError(f"the field {field!r} is {value!r}; choose one of {', '.join(known)}, or leave it out.")
    return value


def _boxes(value: Any) -> tuple[Box, ...]:
    if not isinstance(value, list) or not value:
        raise InputError(f"the field 'boxes' holds no box; {_REMEDY}.")
    return tuple(_box(box, i) for i, box in enumerate(value, start=1))


def _box(value: Any, number: int) -> Box:
    what = f"the field 'boxes', box {number}"
    numbers = isinstance(value, list) and len(value) == 4 and all(_is_number(edge) for edge in value)
    if not numbers:
        raise InputError(f"{what} is {repr(value)[:60]}, not four numbers; {_REMEDY}.")
    box = Box(*map(float, value))
    if not box.is_part:
        raise InputError(f"{what} is {value}, which is no part of the photo; {_REMEDY}.")
    return box


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

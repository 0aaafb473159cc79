"""Photos with boxes around what is named: one JSON object a line.

========== ==========================================================================================================
field      what it holds
========== ==========================================================================================================
image      file name of the photo, below the folder of the photos
name       what is named
type       its type, one of the model's
boxes      [[left, top, right, bottom], ...] as shares of the upright photo's width and height, at least one
sentence   optional: a sentence that holds the name; without one, the name is put into simple sentences of ours
language   optional: "en", "fr", "de" or "es"; without it detected, or sentences of all four
split      optional: "train", "valid" or "test"
========== ==========================================================================================================

Other fields are not read.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from analysis.heat_maps.named import CARRIERS, Named, carried, find_name
from mmner_core.data.example import SPLITS, split_of
from mmner_core.data.text_files import read_lines
from mmner_core.data.type_names import TypeNames, how_to_rename
from mmner_core.errors import InputError
from mmner_core.photos.folder import ImageFolder
from mmner_core.photos.mosaics import Box
from mmner_core.runtime.json_files import parse_object

OTHER_SPLIT, NO_PHOTO = "rows of another split", "rows whose photo is missing"
_REMEDY = "give [[left, top, right, bottom], ...], shares from 0 to 1 of the photo's width and height"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """Something named and where it is on a photo.

    Attributes:
        image: the photo's file.
        name: what is named.
        type: its type.
        boxes: where it is, as shares of the photo.
        sentences: sentences that hold the name, at least one.
        where: ``file:line`` of the row, or the XML file and its object.
    """

    image: Path
    name: str
    type: str
    boxes: tuple[Box, ...]
    sentences: tuple[Named, ...]
    where: str


@dataclass(frozen=True, slots=True)
class BoxRows:
    """Rows to measure on, and how many there were besides, by reason."""

    rows: tuple[BoxRow, ...]
    left_out: Counter[str]


def read_boxes(
    file: Path,
    types: Sequence[str],
    *,
    images: Path | None = None,
    split: str | None = None,
    names: TypeNames | None = None,
) -> BoxRows:
    """Read a file of boxes.

    Args:
        file: the file.
        types: those of the model.
        images: folder of the photos; None: ``images`` beside the file, else the file's own folder.
        split: leave out the rows that name another split; None: read all.
        names: what types of the file are to be called.

    Raises:
        InputError: naming file, line and field of what is wrong; or if no row is left.
    """
    folder = ImageFolder(images or photo_folder(file))
    names = names or TypeNames()
    rows, left_out = [], Counter[str]()
    for number, line in enumerate(read_lines(file), start=1):
        if not line.strip():
            continue
        where = f"{file}:{number}"
        try:
            record = parse_object(line, "image")
            own = _split(record)
            if split is not None and own not in (None, split_of(split)):
                left_out[OTHER_SPLIT] += 1
                continue
            row = _row(record, folder, types, names, where)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        if row is None:
            left_out[NO_PHOTO] += 1
        else:
            rows.append(row)
    if not rows:
        reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.items()) or "the file is empty"
        raise InputError(f"{file} has no row to measure on ({reasons}); check --split and --images.")
    return BoxRows(tuple(rows), left_out)


def photo_folder(file: Path) -> Path:
    """Return where photos lie if nobody says where: ``images`` beside a file or folder, else its own folder."""
    beside = file.absolute().parent / "images"
    return beside if beside.is_dir() else file.absolute().parent


def check_type(name: str, types: Sequence[str], names: TypeNames) -> str:
    """Return what a type is called here.

    Raises:
        InputError: if the model has no such type.
    """
    renamed = names.names.get(name, name)
    if renamed not in types:
        raise InputError(
            f"the field 'type' is {renamed!r}, which the model does not know ({', '.join(types)}); "
            f"{how_to_rename([renamed], types)}."
        )
    return renamed


def _row(
    record: dict[str, Any], folder: ImageFolder, types: Sequence[str], names: TypeNames, where: str
) -> BoxRow | None:
    """Read a row; None where its photo is missing."""
    image, name = _text(record, "image"), _text(record, "name")
    entity_type = check_type(_text(record, "type"), types, names)
    language = _text(record, "language") if record.get("language") is not None else None
    if language is not None and language not in CARRIERS:
        raise InputError(f"the field 'language' is {language!r}; choose one of {', '.join(CARRIERS)}, or leave it out.")
    boxes = _boxes(record.get("boxes"))
    if record.get("sentence") is not None:
        sentences: tuple[Named, ...] = (find_name(_text(record, "sentence"), name, entity_type, language),)
    else:
        sentences = carried(name, entity_type, tuple(CARRIERS) if language is None else (language,))
    path, exists = folder.resolve(image)
    if not exists:
        return None
    return BoxRow(image=path, name=name, type=entity_type, boxes=boxes, sentences=sentences, where=where)


def _split(record: dict[str, Any]) -> str | None:
    if record.get("split") is None:
        return None
    split = split_of(_text(record, "split"))
    if split not in SPLITS:
        raise InputError(f"the field 'split' is {split!r}; choose one of {', '.join(SPLITS)}, or leave it out.")
    return split


def _text(record: dict[str, Any], field: str) -> str:
    value = record.get(field)
    if not isinstance(value, str) or not value.strip():
        found = "missing" if value is None else "empty" if isinstance(value, str) else repr(value)[:40]
        raise InputError(f"the field {field!r} is {found}; give a text.")
    return value.strip()


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

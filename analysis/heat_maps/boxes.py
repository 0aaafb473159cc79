"""Images with boxes around a named entity, each with sentences that hold the name, to measure heat maps on.

The file is that of :mod:`mmner_core.data.boxes`. A row without a sentence is put into simple ones of ours, in its
language or, where it states none, in all; the language of a sentence that states none is detected.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from analysis.heat_maps.mentions import CARRIERS, Mention, carrier_mentions, find_mention
from mmner_core.data.boxes import BoxLine, read_box_lines
from mmner_core.data.example import split_of
from mmner_core.data.type_names import TypeNames, how_to_rename
from mmner_core.errors import InputError
from mmner_core.photos.folder import ImageFolder
from mmner_core.photos.mosaics import Box

OTHER_SPLIT, NO_PHOTO = "rows of another split", "rows whose photo is missing"


@dataclass(frozen=True, slots=True, kw_only=True)
class BoxRow:
    """A named entity and where it is on a photo.

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
    sentences: tuple[Mention, ...]
    where: str


@dataclass(frozen=True, slots=True)
class BoxRows:
    """The rows to measure on, and how many were left out, by reason."""

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
    for line in read_box_lines(file):
        if split is not None and line.split not in (None, split_of(split)):
            left_out[OTHER_SPLIT] += 1
            continue
        try:
            row = _row(line, folder, types, names)
        except InputError as error:
            raise InputError(f"{line.where}: {error}") from error
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
    """Return the model's name of a type.

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


def _row(line: BoxLine, folder: ImageFolder, types: Sequence[str], names: TypeNames) -> BoxRow | None:
    """Read a row; None where its photo is missing."""
    entity_type = check_type(line.type, types, names)
    if line.sentence is not None:
        sentences: tuple[Mention, ...] = (find_mention(line.sentence, line.name, entity_type, line.language),)
    else:
        sentences = carrier_mentions(
            line.name, entity_type, tuple(CARRIERS) if line.language is None else (line.language,)
        )
    path, exists = folder.resolve(line.image)
    if not exists:
        return None
    return BoxRow(image=path, name=line.name, type=entity_type, boxes=line.boxes, sentences=sentences, where=line.where)

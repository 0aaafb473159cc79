"""Boxes in the form of the grounded MNER data (GMNER: Yu et al., ACL 2023): XML files beside tagged sentences.

``ID.xml`` in Pascal VOC's form holds the boxes on the photo ``ID``: per ``object`` a ``name``, the words of the entity
as the sentence has them, and a ``bndbox`` in pixels of ``size``. An entity without an object is not on its photo.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from analysis.heat_maps.boxes import NO_PHOTO, BoxRow, BoxRows, check_type
from analysis.heat_maps.mentions import Mention
from mmner_core.data import Example, read_examples
from mmner_core.data.type_names import TypeNames
from mmner_core.errors import InputError, brief
from mmner_core.labels import tags_to_entities
from mmner_core.photos.mosaics import Box

NO_XML, NO_BOX = "sentences whose photo has no XML file", "names without a box"
NO_NAME = "boxes of names that are in no sentence of the photo"
_MAX_BYTES = 1 << 20
_EDGES = ("xmin", "ymin", "xmax", "ymax")


def read_voc(
    folder: Path,
    text: Path,
    types: Sequence[str],
    *,
    images: Path | None = None,
    split: str | None = None,
    names: TypeNames | None = None,
) -> BoxRows:
    """Read boxes and the sentences that they belong to.

    Args:
        folder: of the XML files.
        text: tagged sentences, each with the photo that ``IMGID:`` names; see :func:`mmner_core.data.read_examples`.
        types: those of the model.
        images: folder of the photos; None: ``images`` beside the sentences.
        split: which sentences, where ``text`` is a folder.
        names: what types of the sentences are to be called.

    Raises:
        InputError: naming file, object and field of what is wrong; or if no row is left.
    """
    examples, _ = read_examples(text, images=images, split=split)
    names = names or TypeNames()
    rows, left_out = [], Counter[str]()
    found: dict[str, dict[str, tuple[Box, ...]]] = {}
    used: set[tuple[Path, str]] = set()
    for example in examples:
        file = folder / f"{example.image_id}.xml"
        if example.image_id is None or not file.is_file():
            left_out[NO_XML] += 1
        elif example.image is None or not example.image.is_file():
            left_out[NO_PHOTO] += 1
        else:
            if example.image_id not in found:
                found[example.image_id] = read_objects(file)
            of_sentence = _rows(example, example.image, found[example.image_id], file, types, names)
            rows += of_sentence
            used |= {(example.image, row.name) for row in of_sentence}
            left_out[NO_BOX] += len(tags_to_entities(example.tags or ())) - len(of_sentence)
    left_out[NO_NAME] = sum(map(len, found.values())) - len(used)
    if not rows:
        reasons = ", ".join(f"{n} {reason}" for reason, n in left_out.items())
        raise InputError(f"{folder} has no box of a name of {text} ({reasons}); check --text and --images.")
    return BoxRows(tuple(rows), +left_out)


def _rows(
    example: Example,
    image: Path,
    boxes: dict[str, tuple[Box, ...]],
    file: Path,
    types: Sequence[str],
    names: TypeNames,
) -> list[BoxRow]:
    rows = []
    for entity in tags_to_entities(example.tags or ()):
        name = " ".join(example.words[entity.start : entity.end])
        if name not in boxes:
            continue
        try:
            entity_type = check_type(entity.type, types, names)
        except InputError as error:
            raise InputError(f"{example.word_where(entity.start)}: {error}") from error
        renamed = type(entity)(entity.start, entity.end, entity_type)
        rows.append(
            BoxRow(
                image=image,
                name=name,
                type=entity_type,
                boxes=boxes[name],
                sentences=(Mention(example.words, renamed),),
                where=f"{file}: {name}",
            )
        )
    return rows


def read_objects(file: Path) -> dict[str, tuple[Box, ...]]:
    """Return the boxes of each name in a file, as shares of the photo; what stands out over its edge is cut off.

    Raises:
        InputError: if it is no such file.
    """
    root = _parse(file)
    size = {side: _number(root, f"size/{side}", str(file)) for side in ("width", "height")}
    if min(size.values()) <= 0:
        raise InputError(
            f"{file}: the field 'size' is {size['width']:g} x {size['height']:g}; give the photo's pixels."
        )
    boxes: dict[str, list[Box]] = defaultdict(list)
    for number, found in enumerate(root.iter("object"), start=1):
        where = f"{file}: object {number}"
        name = " ".join((found.findtext("name") or "").split())
        if not name:
            raise InputError(f"{where}: the field 'name' is missing; give the words of the entity.")
        left, top, right, bottom = (_number(found, f"bndbox/{edge}", where) for edge in _EDGES)
        shares = (left / size["width"], top / size["height"], right / size["width"], bottom / size["height"])
        box = Box(*(min(max(share, 0.0), 1.0) for share in shares))
        if not box.is_part:
            edges = ", ".join(f"{edge:g}" for edge in (left, top, right, bottom))
            raise InputError(f"{where}: the field 'bndbox' is {edges}, which is no part of the photo; correct it.")
        boxes[name].append(box)
    return {name: tuple(of_name) for name, of_name in boxes.items()}


def _parse(file: Path) -> ElementTree.Element:
    try:
        with file.open("rb") as stream:
            data = stream.read(_MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{file} cannot be read: {error.strerror or error}.") from error
    if len(data) > _MAX_BYTES or b"<!ENTITY" in data:  # entities of entities can take all memory
        raise InputError(f"{file} is over 1 MB or defines entities of its own; boxes need neither.")
    try:
        return ElementTree.fromstring(data)
    except (ElementTree.ParseError, ValueError, LookupError) as error:  # the others: an encoding nobody knows
        line = f":{error.position[0]}" if isinstance(error, ElementTree.ParseError) else ""
        raise InputError(f"{file}{line}: this is not XML ({brief(error)}); write the file anew.") from error


def _number(element: ElementTree.Element, field: str, where: str) -> float:
    text = element.findtext(field)
    try:
        value = float(text or "")
    except ValueError:
        value = math.nan
    if not math.isfinite(value):
        found = "missing" if text is None else repr(text[:40])
        raise InputError(f"{where}: the field {field!r} is {found}; give a number of pixels.")
    return value

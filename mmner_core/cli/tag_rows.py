"""Parses a line of the JSONL that ``tag`` reads: the request, and the columns that are copied to its result."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError
from mmner_core.runtime.json_files import parse_object

if TYPE_CHECKING:
    from mmner_core.inference.tag_job import TagRequest
    from mmner_core.results import Prediction

FIELDS = ("text", "image", "lang", "convention", "id")
RESULTS = {"language": 'rename it, to "lang" if it says the language', "entities": "rename it", "notes": "rename it"}
"""Keys of a result that no line may have, since one of the two would have to go; and what to do."""
_KINDS: dict[str, tuple[type, ...]] = {"id": (str, int, float, type(None)), "text": (str,)}


@dataclass(frozen=True, slots=True)
class InputRow:
    """A line of the input: its position, its text, its request, and the columns copied to its result.

    Attributes:
        where: file and number.
        line: as read.
        request: for the tagger.
        key: its id, if it has one.
        others: keys that are not read, with their values.
    """

    where: str
    line: str
    request: TagRequest
    key: dict[str, Any]
    others: dict[str, Any]

    def result(self, prediction: Prediction) -> dict[str, Any]:
        """Return the line of the output."""
        return {**self.key, **self.others, **prediction.to_json()}


def parse_row(line: str, where: str, folder: Path, lang: str | None, convention: str | None) -> InputRow:
    """Read a line.

    Args:
        line: a JSON object.
        where: its place.
        folder: that the image's path is relative to.
        lang: where it does not say.
        convention: where it does not say.

    Raises:
        InputError: if it is no such object, or has a key that its result has as well.
    """
    from mmner_core.inference.tag_job import TagRequest

    record = parse_object(line, "text")
    if taken := [name for name in record if name in RESULTS]:
        raise InputError(f"the result has a field {taken[0]!r} of its own; {RESULTS[taken[0]]}.")
    for name in FIELDS:
        if name in record and not isinstance(record[name], _KINDS.get(name, (str, type(None)))):
            raise InputError(f"the field {name!r} is {type(record[name]).__name__}, not a string.")
    if not record["text"].strip():
        raise InputError("the text is empty.")
    image = record.get("image")
    request = TagRequest(
        text=record["text"],
        image=folder / image if image else None,
        lang=record.get("lang") or lang,
        convention=record.get("convention") or convention,
    )
    key = {"id": record["id"]} if "id" in record else {}
    return InputRow(where, line, request, key, {name: value for name, value in record.items() if name not in FIELDS})

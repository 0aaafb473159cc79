"""The state of a research tab, read from the parameters of the page's address."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from analysis.scores.kept_slices import read_filters
from analysis.scores.query import Filter
from mmner_core.errors import InputError

_MAX_TEXT = 4000
_MAX_PICKED = 500
PARAMETERS = {"sentence_id": "row", "entity_index": "name"}
"""Parameters of the address that are not called like the fields they fill: links that people have keep working."""
_FIELDS = {parameter: field for field, parameter in PARAMETERS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """The state of a tab; every field is a parameter of the address, and empty where the default is meant.

    In the address each bears the prefix that ``address.js`` gives all of ours; the page asks without it. A parameter is
    called like its field, but for those in ``PARAMETERS``.

    Attributes:
        run: name of the run.
        other: name of the run it is compared with.
        condition: image condition, "" for the run's first.
        language: "" for all.
        values: of the confusion matrix: "counts", "shares", "runs" for this run minus the other, or two languages
            such as "de-en" for the first minus the second.
        reading: which entities belong together there, "overlap" or "exact".
        cell: (gold type or "spurious", predicted type or "missed"), the cell whose sentences are listed.
        listed: page of that list, from 1.
        filters: of the failure table.
        valid: name of the run that the temperature is fitted on, "" for the first that fits, "-" for none.
        entity_type: of the curves over a least confidence, "" for all.
        sort: its column; a leading "-" means descending.
        page: its page, from 1.
        sentence_id: the sentence in the inspector.
        entity_index: which of its predicted entities has its heat map shown, from 0.
        kind: of that heat map, "" for attention.
        map: "pairs" or "entities".
        projection: "umap" or "pca".
        colour: what the map's points are coloured by; "" for their type.
        pick: the points picked on the map.
        find: text that the sentences listed beside the map contain.
        point: the point of the map that the pointer rests on; never in the address.
        ask: text that the nearest photos are looked for by.
    """

    run: str = ""
    other: str = ""
    condition: str = ""
    language: str = ""
    values: str = "counts"
    reading: str = "overlap"
    cell: tuple[str, str] | None = None
    listed: int = 1
    filters: tuple[Filter, ...] = ()
    valid: str = ""
    entity_type: str = ""
    sort: str = ""
    page: int = 1
    sentence_id: int | None = None
    entity_index: int = 0
    kind: str = ""
    map: str = "pairs"
    projection: str = "umap"
    colour: str = ""
    pick: tuple[int, ...] = ()
    find: str = ""
    point: int | None = None
    ask: str = ""

    @classmethod
    def read(cls, request: Mapping[str, Any]) -> View:
        """Read the parameters of an address; those that are no field are not ours and stay unread.

        Raises:
            InputError: if one is not what its field holds.
        """
        known: dict[str, Any] = {}
        for field in fields(cls):
            parameter = PARAMETERS.get(field.name, field.name)
            value = request.get(parameter)
            if value is None or value == "":
                continue
            if not isinstance(value, str) or len(value) > _MAX_TEXT:
                raise InputError(f"The address is not readable: {parameter!r} must be a text of at most {_MAX_TEXT}.")
            known[field.name] = _READERS.get(field.name, _text)(parameter, value)
        return cls(**known)

    def value(self, parameter: str) -> Any:
        """Return what a parameter of the address stands at."""
        return getattr(self, _FIELDS.get(parameter, parameter))


def _text(_: str, value: str) -> str:
    return value


def _number(name: str, value: str) -> int:
    if not (value.isascii() and value.isdigit() and len(value) < 10):
        raise InputError(f"The address is not readable: {name!r} must be a whole number, found {value[:40]!r}.")
    return int(value)


def _page(name: str, value: str) -> int:
    return max(1, _number(name, value))


def _numbers(name: str, value: str) -> tuple[int, ...]:
    return tuple(_number(name, part) for part in value.split(",")[:_MAX_PICKED])


def _cell(name: str, value: str) -> tuple[str, str]:
    row, comma, column = value.partition(",")
    if not comma:
        raise InputError(f"The address is not readable: {name!r} is a row and a column, such as PER,ORG.")
    return row, column


def _filters(name: str, value: str) -> tuple[Filter, ...]:
    try:
        rows = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise InputError(f"The address is not readable: {name!r} must be a list of filters.") from error
    return read_filters(rows)


_READERS = {
    "cell": _cell,
    "listed": _page,
    "filters": _filters,
    "page": _page,
    "sentence_id": _number,
    "entity_index": _number,
    "pick": _numbers,
    "point": _number,
}


def written_filters(filters: tuple[Filter, ...]) -> str:
    """Write filters as the address has them; empty for none."""
    return json.dumps([[f.column, f.operator, f.value] for f in filters]) if filters else ""

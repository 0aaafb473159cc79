"""Estimates the work in a visitor's JSON from its bytes, before any of it is parsed."""

from __future__ import annotations

import asyncio
import json
import math
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, NamedTuple, NoReturn

from mmner_core.errors import InputError

INLINE_BYTES = 16_000
"""Up to here reading takes less time than handing it to another thread."""
NOT_JSON = "The request is not JSON in UTF-8 ({reason})."
NO_OBJECT = 'The request must be a JSON object, as {"data": [...]}.'
TOO_DEEP = "The request is nested deeper than {most} levels."
TOO_MANY = "The request has more than {most:,} values."
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
# One thread: however many visitors send big requests, the others lose one core's time slices to reading them.
_READER = ThreadPoolExecutor(1, thread_name_prefix="read-json")


@dataclass(frozen=True, slots=True, kw_only=True)
class JsonLimits:
    """How deep JSON may be nested, and how many values it may hold."""

    depth: int = 20
    values: int = 2_000


class JsonObject(NamedTuple):
    """A JSON object, and its bytes serialised again, so that the next reader gets exactly what was judged."""

    fields: dict[str, Any]
    body: bytes


async def read_object(body: bytes, limits: JsonLimits) -> JsonObject:
    """Read a JSON object without keeping the event loop waiting.

    Raises:
        InputError: if it is none, or beyond the limits.
    """
    if len(body) <= INLINE_BYTES:
        return parse_body(body, limits)
    return await asyncio.get_running_loop().run_in_executor(_READER, parse_body, body, limits)


def parse_body(body: bytes, limits: JsonLimits) -> JsonObject:
    """Read a JSON object.

    Raises:
        InputError: if it is none, or beyond the limits.
    """
    check_nesting(body, limits)
    try:
        # As text: from bytes other encodings would be guessed, in which the brackets counted are others.
        value = json.loads(body.decode("utf-8-sig"), parse_constant=_refuse_constant, parse_float=_finite)
    except UnicodeDecodeError as error:
        raise InputError(NOT_JSON.format(reason=f"byte {error.start + 1:,} is no part of a character")) from error
    except json.JSONDecodeError as error:
        raise InputError(NOT_JSON.format(reason=f"see character {error.pos + 1:,}")) from error
    except ValueError as error:  # a number of thousands of digits
        raise InputError(NOT_JSON.format(reason="a number is too long, too large or none")) from error
    if not isinstance(value, dict):
        raise InputError(NO_OBJECT)
    return JsonObject(value, _written(value))


def check_nesting(body: bytes, limits: JsonLimits) -> None:
    """Count brackets and commas outside strings.

    Every step is one pass in C over the bytes, so eight megabytes take some hundredths of a second, whatever they hold.

    Raises:
        InputError: if there are too many of them, or they are nested too deep.
    """
    too_many = InputError(TOO_MANY.format(most=limits.values))
    plain = body.replace(rb"\\", b"").replace(rb"\"", b"")  # the quotes left begin and end strings
    if plain.count(b'"') > 4 * limits.values + 2:  # a key and a value for each
        raise too_many
    outside = b"".join(plain.split(b'"')[::2])
    if max(sum(map(outside.count, b",[{")), sum(map(outside.count, b"]}"))) > limits.values:
        raise too_many
    depth = 0
    for bracket in outside.translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > limits.depth:
            raise InputError(TOO_DEEP.format(most=limits.depth))


def _written(value: dict[str, Any]) -> bytes:
    try:
        return json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:  # half a character, which only an escape can carry
        return json.dumps(value).encode()


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise ValueError(digits)
    return number


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(name)

"""Checks the identifiers that visitors give for sessions, events and uploads, before anything is kept under them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

from mmner_core.errors import InputError

MAX_LENGTH = 64
_IDENTIFIER = re.compile(rf"[A-Za-z0-9_-]{{1,{MAX_LENGTH}}}", re.ASCII)
_MOST = 2**31
NOT_IDENTIFIER = "{name} must be 1 to {most} letters, digits, - or _."
NOT_NUMBER = "{name} must be a whole number from 0 on."
NOT_LIST = "{name} must be a list."
UNKNOWN_FIELD = "The field {name!r} is not known here; known are {known}."
MISSING_FIELD = "The field {name} is missing."
TWICE = "{name} is given more than once."

Check = Callable[[str, Any], None]
"""Takes the name of a field and its value.

Raises:
    InputError: if the value cannot be used.
"""


def identifier(name: str, value: Any) -> None:
    """Check a session, an event, an upload, or the name of a function."""
    if not (isinstance(value, str) and _IDENTIFIER.fullmatch(value)):
        raise InputError(NOT_IDENTIFIER.format(name=name, most=MAX_LENGTH))


def check_number(name: str, value: Any) -> None:
    """Check the number of a function or of a part of the page."""
    if not (isinstance(value, int) and not isinstance(value, bool) and 0 <= value < _MOST):
        raise InputError(NOT_NUMBER.format(name=name))


def values(name: str, value: Any) -> None:
    """Check the values that a function is called with."""
    if not isinstance(value, list):
        raise InputError(NOT_LIST.format(name=name))


def anything(name: str, value: Any) -> None:
    """Let a value pass that only our own handlers look at."""


def optional(check: Check) -> Check:
    """Return a check that also lets null pass."""

    def check_or_null(name: str, value: Any) -> None:
        if value is not None:
            check(name, value)

    return check_or_null


def check_fields(fields: Mapping[str, Any], checks: Mapping[str, Check], needed: frozenset[str]) -> None:
    """Check the fields of a JSON object.

    Raises:
        InputError: naming the field that is missing, unknown or wrong.
    """
    for name, value in fields.items():
        if name not in checks:
            raise InputError(UNKNOWN_FIELD.format(name=name[:40], known=", ".join(checks)))
        checks[name](name, value)
    if missing := sorted(needed - fields.keys()):
        raise InputError(MISSING_FIELD.format(name=missing[0]))


def checked_query(query: bytes, checks: Mapping[str, Check], needed: frozenset[str]) -> bytes:
    """Return the parameters of a request that are known; others, as those of our own page's address, are left out.

    Raises:
        InputError: naming the parameter that is missing or wrong.
    """
    given = [pair for pair in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if pair[0] in checks]
    found = dict(given)
    if len(found) < len(given):
        name = next(name for name, _ in given if [other for other, _ in given].count(name) > 1)
        raise InputError(TWICE.format(name=name))
    check_fields(found, checks, needed)
    return urlencode(found).encode()

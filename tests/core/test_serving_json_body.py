"""JSON from visitors: what is counted from the bytes is what is in them, and what is handed on is what was judged."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.errors import InputError
from mmner_core.serving.json_body import JsonLimits, check_nesting, parse_body

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.text(st.characters(categories=["L", "P", "Cs", "Cc"])),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text('ab",[\\'), inner, max_size=4),
)


def depth(value: Any) -> int:
    """Return how deep a value is nested."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(map(depth, inner), default=0)


def count(value: Any) -> int:
    """Return how many commas and opening brackets stand between the strings of a value's JSON."""
    inner = list(value.values()) if isinstance(value, dict) else value if isinstance(value, list) else None
    return 0 if inner is None else 1 + max(0, len(inner) - 1) + sum(map(count, inner))


@given(st.dictionaries(st.text(), VALUES), st.booleans())
def test_what_is_read_is_what_was_written(value: dict[str, Any], escaped: bool) -> None:
    """Whatever brackets, quotes and backslashes its texts hold; and the same is handed on."""
    try:
        body = json.dumps(value, ensure_ascii=escaped).encode()
    except UnicodeEncodeError:  # half a character needs its escape
        body = json.dumps(value).encode()
    read = parse_body(body, JsonLimits(depth=100, values=10_000))
    written = json.loads(json.dumps(value))  # two halves of one character side by side are one character in JSON
    assert read.fields == written == json.loads(read.body)


@given(st.dictionaries(st.text(), VALUES))
def test_depth_and_values_are_counted_exactly(value: dict[str, Any]) -> None:
    """As many as allowed pass, one more does not."""
    body = json.dumps(value).encode()
    check_nesting(body, JsonLimits(depth=depth(value), values=count(value)))
    with pytest.raises(InputError, match="nested deeper"):
        check_nesting(body, JsonLimits(depth=depth(value) - 1, values=count(value)))
    with pytest.raises(InputError, match="more than"):
        check_nesting(body, JsonLimits(depth=depth(value), values=count(value) - 1))


@pytest.mark.parametrize(
    "body", [b"", b"{", b"\xff", b"\xed\xa0\x80", b'{"a": NaN}', b'{"a": 1e999}', b'{"a":' + b"9" * 5000 + b"}"]
)
def test_what_is_no_json_is_told(body: bytes) -> None:
    """In one sentence, which does not quote it."""
    with pytest.raises(InputError, match=r"^The request is not JSON in UTF-8 \([^()]+\)\.$"):
        parse_body(body, JsonLimits())


@pytest.mark.parametrize("body", [b"[]", b'"a"', b"1", b"null"])
def test_what_is_no_object_is_told(body: bytes) -> None:
    """With an example of one."""
    with pytest.raises(InputError, match="must be a JSON object"):
        parse_body(body, JsonLimits())

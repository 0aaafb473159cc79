"""Addresses in place of files: the web framework, which would fetch them, gets to see none."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mmner_core.errors import InputError
from mmner_core.serving.addresses import refuse_addresses


@pytest.mark.parametrize(
    "address", ["http://a/b", "HTTPS://a", " \thttp://a", "//a/b", "ftp://a", "file:///etc/passwd"]
)
def test_an_address_in_place_of_a_file_is_refused_however_deep(address: str) -> None:
    """The web framework would fetch it for any component."""
    record: Any = {"path": address, "meta": {"_type": "gradio.FileData"}}
    for _ in range(3000):  # deeper than Python's recursion goes
        record = [{"x": record}]
    with pytest.raises(InputError, match="fetches no web addresses"):
        refuse_addresses(["text", record])


@given(
    st.recursive(
        st.text() | st.none() | st.integers(), lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner)
    )
)
def test_other_data_passes(data: Any) -> None:
    """Texts that look like addresses are no files."""
    refuse_addresses([data, "http://example.com", {"path": "/tmp/a.jpg"}, {"text": "see http://example.com"}])

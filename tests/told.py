"""What an error tells: tests ask for the file, line, field or value it names, not for the wording around them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from mmner_core.errors import InputError


def names(message: object, *values: object) -> bool:
    """Say whether a message names all of these values; a longer word or number does not name one it contains."""
    text = str(message)
    return all(re.search(rf"(?<!\w)(?<!\d\.){re.escape(str(value))}(?!\w|\.\d)", text) for value in values)


@contextmanager
def refused(*values: object, by: type[Exception] = InputError) -> Iterator[pytest.ExceptionInfo[Exception]]:
    """Expect an error of this kind, by default the one for bad input, that names all of these values."""
    with pytest.raises(by) as caught:
        yield caught
    assert names(caught.value, *values), f"not all of {values} are named in: {caught.value}"

"""Read a file of requests as ``tag --input`` does."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from mmner_core.cli.tag_file import Rejects, read_batches
from mmner_core.cli.tag_rows import InputRow


def rows_of(file: Path, rejects: Rejects) -> Iterator[InputRow]:
    """Yield the rows of a file, one after the other."""
    return chain.from_iterable(read_batches(file, rejects))

"""Tell the format of a data file from its first lines, not from its name."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import Path

from mmner_core.data.conll import CONLL
from mmner_core.data.conllu import CONLLU
from mmner_core.data.formats import DOCUMENT_MARK, Format
from mmner_core.data.lines import read_lines
from mmner_core.data.mmnerd import IMAGE_MARK, MMNERD
from mmner_core.errors import InputError

FORMATS = {fmt.name: fmt for fmt in (MMNERD, CONLL, CONLLU)}
SNIFFED_LINES = 50


def get_format(fmt: str, path: Path) -> Format:
    """Return the format named ``fmt``, or the one the first lines of ``path`` show when it is "auto".

    Raises:
        InputError: if there is no such format, or the lines look like none of them.
    """
    if fmt == "auto":
        return _sniff(read_lines(path), path)
    if fmt not in FORMATS:
        raise InputError(f"There is no data format {fmt!r}; choose auto, {', '.join(FORMATS)}.")
    return FORMATS[fmt]


def _sniff(lines: Iterable[str], path: Path) -> Format:
    head = [line for line in islice(lines, SNIFFED_LINES) if line.strip(" \t")]
    if any(line.startswith(IMAGE_MARK) for line in head):
        return MMNERD
    rows = [
        [column.strip(" ") for column in line.split("\t")]
        for line in head
        if not line.startswith((DOCUMENT_MARK, "# ", "#\t"))
    ]
    if rows and all(len(row) == 3 and row[0].isdecimal() for row in rows):
        return CONLLU
    if any(len([column for column in row if column]) == 2 for row in rows):
        return MMNERD
    if any(len(re.split("[ \t]+", line.strip(" \t"))) > 1 for line in head):
        return CONLL
    if not head:
        raise InputError(f"{path}: no sentences in this file.")
    raise InputError(f"{path}:1: these lines are not tagged words; expected word<TAB>tag, one word to a line.")

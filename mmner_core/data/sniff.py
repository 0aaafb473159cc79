"""Detects the format of a data file, and its columns, from its first lines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path

from mmner_core.data.columns import Columns, find_columns
from mmner_core.data.conll import CONLL
from mmner_core.data.conllu import CONLLU, parse_comment
from mmner_core.data.formats import Format, is_document_mark
from mmner_core.data.mmnerd import IMAGE_MARK, MMNERD
from mmner_core.data.text_files import read_lines
from mmner_core.errors import InputError

FORMATS = {fmt.name: fmt for fmt in (MMNERD, CONLL, CONLLU)}
SNIFFED_LINES = 2000
"""Enough to meet names in each column that holds any."""


def get_format(fmt: str, path: Path) -> Format:
    """Return the format named ``fmt``, or the one the first lines of ``path`` show when it is "auto".

    Raises:
        InputError: if there is no such format, or the lines look like none of them.
    """
    if fmt == "auto":
        return replace(_sniff(read_lines(path), path), chosen=False)
    if fmt not in FORMATS:
        raise InputError(f"There is no data format {fmt!r}; choose auto, {', '.join(FORMATS)}.")
    if fmt == CONLL.name:
        return _of_columns(find_columns(_sentences(islice(read_lines(path), SNIFFED_LINES))))
    return FORMATS[fmt]


def _sniff(lines: Iterable[str], path: Path) -> Format:
    head = list(islice(lines, SNIFFED_LINES))
    sentences = _sentences(head)
    if any(line.startswith(IMAGE_MARK) for line in head):
        columns = find_columns(sentences)
        return _of_columns(columns, MMNERD) if (columns.count or 0) > 2 else MMNERD
    tabbed = Counter(_tab_columns(line) for sentence in sentences for line in sentence if "\t" in line)
    if tabbed and tabbed.most_common(1)[0][0] == 2:
        return MMNERD
    columns = find_columns(sentences)
    if columns == Columns(numbered=True, count=3, tabbed=True):
        return CONLLU
    if any(len(columns.split(line)) > 1 for line in head):
        return _of_columns(columns)
    if not any(line.strip(" \t") for line in head):
        raise InputError(f"{path}: no sentences in this file.")
    raise InputError(f"{path}:1: these lines are not tagged words; expected word<TAB>tag, one word to a line.")


def _of_columns(columns: Columns, fmt: Format = CONLL) -> Format:
    """Return a format for a file with these columns."""
    fmt = replace(fmt, parse_word=columns.word_and_tag, note=columns.note, shape=CONLL.shape, tabbed=False)
    if not columns.numbered:
        return fmt
    fmt = replace(fmt, shape=f"the word's number, {CONLL.shape}", numbered=True)
    return fmt if fmt.header else replace(fmt, header=CONLLU.header, parse_header=parse_comment)


def _sentences(lines: Iterable[str]) -> list[list[str]]:
    """Return the word lines, sentence by sentence, without possible comments, which say nothing about the columns."""
    sentences: list[list[str]] = [[]]
    for line in lines:
        if not line.strip(" \t") or is_document_mark(line):
            sentences.append([])
        elif not line.startswith(("# ", "#\t", IMAGE_MARK)):
            sentences[-1].append(line)
    return [sentence for sentence in sentences if sentence]


def _tab_columns(line: str) -> int:
    first, *others = line.rstrip(" \t").split("\t")
    return 1 + sum(bool(column.strip(" ")) for column in others)

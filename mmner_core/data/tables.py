"""Tagged sentences as tables of text, one a row: JSON lines, and CSV.

Columns as in a Hugging Face data set (:mod:`mmner_core.data.hub`): words (or tokens), tags (or ner_tags), image, lang.
In CSV, words and tags are separated by spaces, or written as JSON lists.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mmner_core.data.example import Example
from mmner_core.data.hub import columns_of, read_row
from mmner_core.data.report import ReadReport
from mmner_core.data.text_files import read_lines
from mmner_core.errors import InputError
from mmner_core.runtime.json_files import parse_object

JSON_LINES = (".jsonl", ".ndjson")
_DELIMITERS = ",;\t"


def is_table(path: Path) -> bool:
    """Say whether a file is one of JSON lines or CSV, by its name."""
    return path.suffix.lower() in (*JSON_LINES, ".csv")


def iter_table(path: Path, report: ReadReport) -> Iterator[tuple[Example, str | None]]:
    """Yield the sentences of a table, and beside each the path of its image.

    Raises:
        InputError: naming the line of a row that is none, or whose words and tags do not fit each other.
    """
    rows = _json_rows(path) if path.suffix.lower() in JSON_LINES else _csv_rows(path)
    for where, values in rows:
        sentence = read_row(values, where, report)
        if sentence is not None:
            yield sentence


def _json_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    for number, line in enumerate(read_lines(path), start=1):
        if not line.strip():
            continue
        where = f"{path}:{number}"
        try:
            record = parse_object(line, "tokens" if '"tokens"' in line and '"words"' not in line else "words")
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        yield where, {column: record[name] for column, name in columns_of(record, where).items()}


def _csv_rows(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    lines = (f"{line}\n" for line in read_lines(path))
    header = next(lines, "")
    delimiter = csv_delimiter(header)
    try:
        names = next(csv.reader([header], delimiter=delimiter), [])
        columns = columns_of(names, f"{path}:1")
        rows = csv.DictReader(lines, fieldnames=names, delimiter=delimiter)
        for row in rows:
            where = f"{path}:{rows.line_num + 1}"
            yield where, _cells(row, columns, where)
    except csv.Error as error:
        raise InputError(f"{path} is no CSV that can be read ({error}).") from error


def csv_delimiter(header: str) -> str:
    """Return the delimiter of a CSV file, detected from its first line."""
    return max(_DELIMITERS, key=header.count)


def _cells(row: Mapping[Any, Any], columns: Mapping[str, str], where: str) -> dict[str, Any]:
    """Return a row's cells by the names of the columns that are read; an empty one holds nothing."""
    if None in row or None in row.values():
        raise InputError(f"{where}: the row has another number of cells than the header.")
    values: dict[str, Any] = {column: row[name] or None for column, name in columns.items()}
    for column in ("words", "tags"):
        if values.get(column) is not None:
            values[column] = _list(values[column], f"{where}: {column}")
    return values


def _list(cell: str, where: str) -> list[Any]:
    if not cell.startswith("["):
        return cell.split()
    try:
        found = json.loads(cell)
    except ValueError:
        return cell.split()  # a bracket may be the first word
    if not isinstance(found, list):
        raise InputError(f"{where} is {type(found).__name__}, not a list.")
    return found

"""Streams the rows of a file from any position: Parquet, Arrow streams, JSONL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from mmner_core.data.arrow_check import check_offsets
from mmner_core.errors import InputError, brief
from mmner_core.large_jobs.columns import handed_columns, known_columns

if TYPE_CHECKING:
    import pyarrow as pa

JSON_LINES = (".jsonl", ".ndjson")
READ_ROWS = 256
"""Rows of a table in memory at a time, of big ones fewer."""
READ_BYTES = 64 << 20
MAX_LINE_BYTES = 4 << 20
_BUFFER_BYTES = 1 << 20


class Place(NamedTuple):
    """A row of a file, from 0; for JSONL also where its line begins, in bytes, and the line's number, from 1."""

    row: int
    offset: int = 0
    line: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """One row as read.

    Attributes:
        row: from 0 in its file.
        values: its columns under their standard names.
        others: those that nobody reads, to be handed through.
        problem: one sentence, where the row could not be read.
        notes: one sentence each on what was there and not read.
    """

    row: int
    values: dict[str, Any] = field(default_factory=dict)
    others: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    notes: tuple[str, ...] = ()


class Line(NamedTuple):
    """A line with its end; ``text`` is None where it is longer than 4 MB."""

    text: bytes | None
    size: int

    @property
    def blank(self) -> bool:
        """Whether the line is no row."""
        return self.text is not None and not self.text.strip()


def iter_records(path: Path, start: Place, stop: int) -> Iterator[Record]:
    """Yield the rows from ``start`` up to and without row ``stop``.

    Raises:
        InputError: if the file is damaged there.
    """
    if path.suffix.lower() in JSON_LINES:
        yield from _iter_json(path, start, stop)
        return
    import pyarrow as pa

    row = start.row
    try:
        batches = _parquet_batches if path.suffix.lower() == ".parquet" else _arrow_batches
        for batch in batches(path, start.row, stop):
            yield from _to_records(batch, row)
            row += batch.num_rows
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: the rows from {row:,} on cannot be read ({brief(error)}).") from error


def parse_line(line: Line) -> tuple[dict[str, Any], str | None]:
    """Return a JSONL row, or one sentence on what is wrong with it."""
    if line.text is None:
        return {}, f"the line has {line.size:,} bytes; at most {MAX_LINE_BYTES:,} are read."
    try:
        values = json.loads(line.text.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        return {}, f"the line is not UTF-8 (byte 0x{line.text[error.start]:02x})."
    except (ValueError, RecursionError) as error:
        reason = error.msg if isinstance(error, json.JSONDecodeError) else "nested too deeply or a number too long"
        return {}, f"the line is not JSON ({reason})."
    return (values, None) if isinstance(values, dict) else ({}, "the line is not a JSON object.")


def iter_lines(file: BinaryIO) -> Iterator[Line]:
    r"""Yield the lines of a file, cut at ``\n`` alone; what is over 4 MB of a line is passed over."""
    while text := file.readline(MAX_LINE_BYTES):
        size, piece = len(text), text
        while len(piece) == MAX_LINE_BYTES and not piece.endswith(b"\n"):
            piece = file.readline(MAX_LINE_BYTES)
            size += len(piece)
        yield Line(text if size == len(text) else None, size)


def _iter_json(path: Path, start: Place, stop: int) -> Iterator[Record]:
    with path.open("rb") as file:
        first, _ = parse_line(next((line for line in iter_lines(file) if not line.blank), Line(b"", 0)))
        file.seek(start.offset)
        row = start.row
        for line in iter_lines(file):
            if row == stop:
                return
            if not line.blank:
                yield _json_record(row, line, first)
                row += 1


def _json_record(row: int, line: Line, first: dict[str, Any]) -> Record:
    """Read a line; unread fields are noted unless the first line has them, since the program reports those."""
    values, problem = parse_line(line)
    if problem is None:
        try:
            found = known_columns(values, "the line")
        except InputError as error:
            problem = str(error)
        else:
            others = {name: value for name, value in values.items() if name not in found.values()}
            notes = tuple(f"The field {name!r} was not read." for name in others if name not in first)
            read = {column: values[name] for column, name in found.items()}
            return Record(row=row, values=read, others=others, notes=notes)
    kept = {"line": line.text.decode("utf-8", "replace").strip()} if line.text is not None else {}
    return Record(row=row, values=kept, problem=problem)


def _parquet_batches(path: Path, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """Read a Parquet file in small batches; memory does not grow with the size of its row groups."""
    import pyarrow.parquet as pq

    with pq.ParquetFile(path, pre_buffer=False, buffer_size=_BUFFER_BYTES) as table:
        columns = _columns(table.schema_arrow, path)
        groups, first, end, row_bytes = [], None, 0, 1
        for group in range(table.num_row_groups):
            facts = table.metadata.row_group(group)
            begin, end = end, end + facts.num_rows
            if end > start and begin < stop:
                groups.append(group)
                first = begin if first is None else first
                row_bytes = max(row_bytes, facts.total_byte_size // max(facts.num_rows, 1))
        rows = max(1, min(READ_ROWS, READ_BYTES // row_bytes))
        batches = table.iter_batches(rows, row_groups=groups, columns=columns, use_threads=False)
        yield from _cut(batches, first or 0, start, stop)


def _arrow_batches(path: Path, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """Read an Arrow stream, mapped into memory, in slices."""
    import pyarrow as pa

    with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
        columns = _columns(stream.schema, path)
        slices = (
            batch.slice(begin, READ_ROWS).select(columns)
            for batch in stream
            for begin in range(0, batch.num_rows, READ_ROWS)
        )
        for rows in _cut(slices, 0, start, stop):
            check_offsets(rows)
            yield rows


def _columns(schema: pa.Schema, path: Path) -> list[str]:
    """Return the columns to take from a table."""
    read = list(known_columns(schema.names, str(path)).values())
    return [*read, *handed_columns(schema, read)]


def _cut(batches: Iterator[pa.RecordBatch], row: int, start: int, stop: int) -> Iterator[pa.RecordBatch]:
    """Keep the rows from ``start`` to ``stop`` of batches that begin at ``row``."""
    for batch in batches:
        begin, end = max(start - row, 0), min(stop - row, batch.num_rows)
        if begin < end:
            yield batch.slice(begin, end - begin)
        row += batch.num_rows
        if row >= stop:
            return


def _to_records(batch: pa.RecordBatch, row: int) -> Iterator[Record]:
    names = known_columns(batch.schema.names, "the table")
    try:
        rows = batch.to_pylist() if batch.nbytes <= READ_BYTES else None
    except UnicodeDecodeError:  # pyarrow takes any bytes for text; only that row is at fault
        rows = None
    if rows is None:
        for i in range(batch.num_rows):
            yield _decode(batch.slice(i, 1), row + i, names)
        return
    for i, values in enumerate(rows):
        yield _table_record(row + i, values, names)


def _table_record(row: int, values: dict[str, Any], names: dict[str, str]) -> Record:
    read = {column: values.pop(name) for column, name in names.items()}
    return Record(row=row, values=read, others=values)


def _decode(batch: pa.RecordBatch, row: int, names: dict[str, str]) -> Record:
    try:
        return _table_record(row, batch.to_pylist()[0], names)
    except UnicodeDecodeError as error:
        return Record(
            row=row, problem=f"the row holds text that is not UTF-8 (byte 0x{error.object[error.start]:02x})."
        )

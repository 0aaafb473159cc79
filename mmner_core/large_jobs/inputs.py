"""The input files of a large job: what identifies them, and where their shards begin.

A file is Parquet, an Arrow stream (what ``save_to_disk`` of Hugging Face ``datasets`` writes), or JSONL, one object a
line. Rows count from 0 in each file; blank lines of a JSONL file are no rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from mmner_core.errors import InputError, brief
from mmner_core.large_jobs.columns import check_types, handed_columns, known_columns
from mmner_core.large_jobs.row_stream import JSON_LINES, Line, Place, iter_lines, parse_line
from mmner_core.runtime.digests import file_digest
from mmner_core.runtime.streams import is_stream

if TYPE_CHECKING:
    import pyarrow as pa

SUFFIXES = (".parquet", ".arrow", *JSON_LINES)
MOST_ROWS_PER_BYTE = 100
"""A table of more claims what it does not have; its shards alone would fill the memory."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """What identifies a file: its name below the input folder, rows, bytes and SHA-256."""

    name: str
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """A file read once.

    Attributes:
        file: what identifies it.
        places: where each shard of it begins.
        unread: its columns that nobody reads.
        lost: those of them that cannot be handed through either.
    """

    file: InputFile
    places: list[Place]
    unread: list[str]
    lost: list[str] = field(default_factory=list)


def find_inputs(source: Path) -> tuple[Path, list[Path]]:
    """Return the folder that names are relative to, and the input files below it in the order of their names.

    Raises:
        InputError: if there are none.
    """
    if is_stream(source):
        raise InputError(
            f"{source} is a stream; a large job reads its input more than once and must find it again to go on. Write "
            "it to a file first, or use tag --input."
        )
    if source.is_file():
        if source.suffix.lower() not in SUFFIXES:
            raise InputError(f"{source} is neither Parquet, Arrow nor JSONL ({', '.join(SUFFIXES)}).")
        return source.parent, [source]
    if not source.is_dir():
        raise InputError(f"{source} does not exist; --input names a file or a folder of {', '.join(SUFFIXES)}.")
    below = (path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    files = sorted(path for path in below if not _is_hidden(path.relative_to(source)))
    if not files:
        raise InputError(f"There is no file of {', '.join(SUFFIXES)} in {source}.")
    return source, files


def _is_hidden(name: Path) -> bool:
    """Say whether a file is a program's own: hidden, or what ``datasets`` caches beside the data that it saved."""
    return any(part.startswith((".", "_")) for part in name.parts) or name.match("cache-*.arrow")


def scan(path: Path, name: str, every: int) -> Scan:
    """Read a file once; a shard begins at each ``every``-th row.

    Raises:
        InputError: if it cannot be read, or lacks the columns needed.
    """
    try:
        return _scan_lines(path, name, every) if path.suffix.lower() in JSON_LINES else _scan_table(path, name, every)
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror or brief(error)}.") from error


def _scan_table(path: Path, name: str, every: int) -> Scan:
    schema, rows = _describe(path)
    size = path.stat().st_size
    if rows > MOST_ROWS_PER_BYTE * size:
        raise InputError(f"{path} is damaged: it claims {rows:,} rows in {size:,} bytes.")
    found = known_columns(schema.names, str(path))
    check_types(schema, found, str(path))
    return Scan(
        file=InputFile(name=name, rows=rows, bytes=size, sha256=file_digest(path)),
        places=[Place(row) for row in range(0, rows, every)],
        unread=(unread := [column for column in schema.names if column not in found.values()]),
        lost=sorted(set(unread) - set(handed_columns(schema, found.values())), key=unread.index),
    )


def _describe(path: Path) -> tuple[pa.Schema, int]:
    """Return columns and number of rows of a Parquet or Arrow file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        if path.suffix.lower() == ".parquet":
            with pq.ParquetFile(path) as table:
                schema, rows = table.schema_arrow, table.metadata.num_rows
        else:
            with pa.memory_map(str(path)) as source, pa.ipc.open_stream(source) as stream:
                schema, rows = stream.schema, sum(batch.num_rows for batch in stream)
        len(schema.names)  # decodes them
        return schema, rows
    except (pa.ArrowException, UnicodeDecodeError) as error:
        what = "Parquet file" if path.suffix.lower() == ".parquet" else "Arrow stream"
        raise InputError(f"{path} is damaged, or no {what}.") from error


def _scan_lines(path: Path, name: str, every: int) -> Scan:
    sha256 = file_digest(path)
    places, unread, row, offset = [], [], 0, 0
    with path.open("rb") as data:
        for number, line in enumerate(iter_lines(data), start=1):
            if not line.blank:
                if row == 0:
                    unread = _unread(line, f"{path}:{number}")
                if row % every == 0:
                    places.append(Place(row, offset, number))
                row += 1
            offset += line.size
    return Scan(file=InputFile(name=name, rows=row, bytes=offset, sha256=sha256), places=places, unread=unread)


def _unread(line: Line, where: str) -> list[str]:
    """Return the fields of a first row that are not read; none if it is no valid row."""
    values, problem = parse_line(line)
    if problem is not None:
        return []
    found = known_columns(values, where)
    return [name for name in values if name not in found.values()]

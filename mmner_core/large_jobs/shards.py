"""A shard: consecutive rows of one input file, and its two output files, written atomically.

``tagged/part-00007.parquet`` holds the rows that were tagged, in input order; ``rejected/part-00007.jsonl``, where
there are any, those that could not be, each with its reason. The Parquet file comes last: once it is there under its
name, the shard is done.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from mmner_core.errors import InputError
from mmner_core.large_jobs.row_stream import Place
from mmner_core.runtime.atomic import atomic_write, remove_leftovers

if TYPE_CHECKING:
    import pyarrow as pa

TAGGED, REJECTED = "tagged", "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shard:
    """Rows ``start.row`` up to and without ``stop`` of one file, and the shard's place among all."""

    index: int
    path: Path
    name: str
    start: Place
    stop: int

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.stop - self.start.row


class Counts(NamedTuple):
    """How many rows of a shard were tagged and how many set aside."""

    tagged: int
    rejected: int


def tagged_file(output: Path, index: int) -> Path:
    """Return where a shard's tagged rows go."""
    return output / TAGGED / f"part-{index:05}.parquet"


def rejected_file(output: Path, index: int) -> Path:
    """Return where the rows of a shard that could not be tagged go."""
    return output / REJECTED / f"part-{index:05}.jsonl"


def finished(output: Path, job: str, shard: Shard) -> Counts | None:
    """Return the counts of a finished shard that accounts for each of its rows, else None."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(tagged_file(output, shard.index)) as table:
            tagged, facts = table.metadata.num_rows, table.metadata.metadata or {}
        rejected = int(facts.get(b"rejected", 0))
        if rejected:
            with rejected_file(output, shard.index).open("rb") as lines:
                rejected = sum(1 for _ in lines)
    except (OSError, ValueError, pa.ArrowException):  # not there, or damaged since
        return None
    whole = tagged + rejected == shard.rows and facts.get(b"job") == job.encode()
    return Counts(tagged, rejected) if whole else None


def write_shard(
    output: Path, job: str, shard: Shard, tagged: Sequence[pa.RecordBatch], rejected: Sequence[dict[str, Any]]
) -> Counts:
    """Write a shard's files.

    Args:
        output: folder of the job.
        job: the job's digest, kept in the file.
        shard: which rows these are.
        tagged: the rows, at least one batch, perhaps of no rows.
        rejected: JSON objects.

    Raises:
        InputError: if they cannot be written.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    lines = rejected_file(output, shard.index)
    try:
        lines.unlink(missing_ok=True)
        if rejected:
            with atomic_write(lines) as name, name.open("w", encoding="utf-8", errors="backslashreplace") as file:
                file.writelines(json.dumps(row, ensure_ascii=False, default=str) + "\n" for row in rejected)
        table = pa.Table.from_batches(tagged)
        facts = {"job": job, "shard": str(shard.index), "rejected": str(len(rejected))}
        with atomic_write(tagged_file(output, shard.index)) as name:
            pq.write_table(table.replace_schema_metadata(facts), name, compression="zstd")
    except OSError as error:
        raise InputError(f"{output} cannot be written to: {error.strerror or error}.") from error
    return Counts(table.num_rows, len(rejected))


def prepare_output(output: Path) -> None:
    """Make the output's folders and remove what a killed run left half written."""
    for folder in (output / TAGGED, output / REJECTED):
        folder.mkdir(parents=True, exist_ok=True)
        remove_leftovers(folder)

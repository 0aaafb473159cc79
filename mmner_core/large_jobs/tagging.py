"""Tag one shard: rows in, batches of like length through the tagger, a table and the rows set aside out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError
from mmner_core.large_jobs.row_requests import Defaults, row_id, to_request
from mmner_core.large_jobs.row_stream import Record, iter_records
from mmner_core.large_jobs.shards import Counts, Shard, write_shard
from mmner_core.runtime.json_files import json_text

if TYPE_CHECKING:
    import pyarrow as pa

    from mmner_core.inference.tag_job import TagJob
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction, TaggedEntity

WINDOW_ROWS = 512
"""Rows sorted by length together."""
WINDOW_BYTES = 256 << 20
"""Beyond it a window is cut short: embedded photos may have megabytes each."""
BATCH_ROWS = 64
"""Rows whose decoded photos are in memory together."""


def output_schema() -> pa.Schema:
    """Return the columns of the output; offsets count characters of ``text``, ends are exclusive.

    ``extra`` is a JSON object of the fields that nobody read, null where a row has none: rows of one job may differ in
    theirs, and none of them can take the name of a column of ours.
    """
    import pyarrow as pa

    candidate = pa.struct([("type", pa.string()), ("confidence", pa.float64())])
    entity = pa.struct(
        [
            ("text", pa.string()),
            ("type", pa.string()),
            ("start", pa.int32()),
            ("end", pa.int32()),
            ("word_start", pa.int32()),
            ("word_end", pa.int32()),
            ("confidence", pa.float64()),
            ("runner_up", candidate),
            ("without_image", candidate),
        ]
    )
    return pa.schema(
        [
            ("file", pa.string()),
            ("row", pa.int64()),
            ("id", pa.string()),
            ("text", pa.string()),
            ("language", pa.string()),
            ("words", pa.list_(pa.string())),
            ("tags", pa.list_(pa.string())),
            ("entities", pa.list_(entity)),
            ("notes", pa.list_(pa.string())),
            ("extra", pa.string()),
        ]
    )


def tag_shard(
    tagger: Tagger,
    shard: Shard,
    defaults: Defaults,
    *,
    output: Path,
    job: str,
    compare: bool,
    advance: Callable[[int], object] = lambda _: None,
) -> Counts:
    """Tag the rows of a shard and write its files.

    Args:
        tagger: the checkpoint.
        shard: which rows.
        defaults: what holds for rows that do not say.
        output: folder of the job.
        job: the job's digest.
        compare: also say what the text alone would have given.
        advance: called with the number of rows just done.

    Raises:
        InputError: if the input is damaged or the output cannot be written; never for a single bad row.
    """
    import pyarrow as pa

    schema = output_schema()
    tagged = [pa.RecordBatch.from_pylist([], schema)]
    rejected: list[dict[str, Any]] = []
    records = iter_records(shard.path, shard.start, shard.stop)
    seen = 0
    for window in windows(records):
        rows = _tag_window(tagger, window, shard, defaults, rejected, compare=compare, advance=advance)
        tagged.append(pa.RecordBatch.from_pylist(rows, schema))
        seen += len(window)
    if seen != shard.rows:
        raise InputError(f"{shard.path} has fewer rows than when the job began; it was changed meanwhile.")
    return write_shard(output, job, shard, tagged, rejected)


def _tag_window(
    tagger: Tagger,
    records: Sequence[Record],
    shard: Shard,
    defaults: Defaults,
    rejected: list[dict[str, Any]],
    *,
    compare: bool,
    advance: Callable[[int], object],
) -> list[dict[str, Any]]:
    """Tag some rows, those of like length together, and return them in their own order."""
    rows: dict[int, dict[str, Any]] = {}
    reasons: dict[int, str] = {}
    for batch in _by_length(records):
        jobs: dict[int, TagJob] = {}
        for i in batch:
            try:
                jobs[i] = tagger.prepare(to_request(records[i], defaults))
            except InputError as error:
                reasons[i] = str(error)
        for i, prediction in zip(
            jobs, tagger.tag_prepared([*jobs.values()], attention=False, compare=compare), strict=True
        ):
            rows[i] = _to_row(records[i], shard.name, prediction)
        advance(len(batch))
    rejected += [_set_aside(records[i], shard.name, reasons[i]) for i in sorted(reasons)]
    return [rows[i] for i in sorted(rows)]


def windows(records: Iterator[Record]) -> Iterator[list[Record]]:
    """Yield runs of rows, bounded in number and in size."""
    window: list[Record] = []
    size = 0
    for record in records:
        window.append(record)
        size += _size(record)
        if len(window) == WINDOW_ROWS or size >= WINDOW_BYTES:
            yield window
            window, size = [], 0
    if window:
        yield window


def _size(record: Record) -> int:
    image = record.values.get("image")
    data = image.get("bytes") if isinstance(image, dict) else image
    return _length(record) + (len(data) if isinstance(data, bytes | str) else 0)


def _by_length(records: Sequence[Record]) -> Iterator[list[int]]:
    """Yield batches of indices into ``records``, longest rows first, so that little of a batch is padding."""
    order = sorted(range(len(records)), key=lambda i: _length(records[i]), reverse=True)
    for start in range(0, len(order), BATCH_ROWS):
        yield order[start : start + BATCH_ROWS]


def _length(record: Record) -> int:
    words = record.values.get("words")
    if isinstance(words, list):
        return sum(len(word) for word in words if isinstance(word, str)) + len(words)
    text = record.values.get("text")
    return len(text) if isinstance(text, str) else 0


def _to_row(record: Record, file: str, prediction: Prediction) -> dict[str, Any]:
    return {
        "file": file,
        "row": record.row,
        "id": row_id(record),
        "text": prediction.text,
        "language": prediction.language,
        "words": [word.text for word in prediction.words],
        "tags": list(prediction.tags),
        "entities": [_to_struct(entity) for entity in prediction.entities],
        "notes": [*record.notes, *prediction.notes],
        "extra": json_text(record.others, default=str) if record.others else None,
    }


def _to_struct(entity: TaggedEntity) -> dict[str, Any]:
    alone = entity.without_image
    return {
        "text": entity.text,
        "type": entity.type,
        "start": entity.start,
        "end": entity.end,
        "word_start": entity.word_start,
        "word_end": entity.word_end,
        "confidence": entity.confidence,
        "runner_up": entity.runner_up._asdict(),
        "without_image": alone._asdict() if alone is not None else None,
    }


def _set_aside(record: Record, file: str, reason: str) -> dict[str, Any]:
    """Describe a row that could not be tagged: where it stands, why, and the row itself, a photo by its path."""
    values = dict(record.values)
    image = values.get("image")
    if isinstance(image, dict):
        image = image.get("path")
    if "image" in values:
        values["image"] = "(bytes)" if isinstance(image, bytes) else image
    extra = {"extra": record.others} if record.others else {}
    return {"file": file, "row": record.row, "reason": reason, **values, **extra}

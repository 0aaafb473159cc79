"""What the tests of large jobs share: inputs in several formats, and the whole output read back."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

from mmner_core.large_jobs.run import JobSummary, Options, tag_many

SENTENCES = ("best of Jordan", "Anna a vu Paris .", "Berlin", "Juan vive en Madrid y trabaja en Lima .")


def photo(shade: int = 0) -> bytes:
    """Return a small image."""
    from PIL import Image

    file = io.BytesIO()
    Image.new("RGB", (40, 30), (shade, 90, 200)).save(file, "PNG")
    return file.getvalue()


def rows(n: int) -> list[dict[str, Any]]:
    """Return rows with an id and a text of one to three sentences."""
    return [
        {"id": i, "text": " ".join(SENTENCES[(i + k) % 4] for k in range(1 + i % 3)), "lang": "en"} for i in range(n)
    ]


def write_jsonl(path: Path, records: list[dict[str, Any]]) -> Path:
    """Write objects, one a line."""
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records), encoding="utf-8")
    return path


def write_parquet(path: Path, records: list[dict[str, Any]], **options: Any) -> Path:
    """Write rows as a table."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.Table.from_pylist(records), path, **options)
    return path


def tag(checkpoint: Path, source: Path, output: Path, **options: Any) -> JobSummary:
    """Run a job on this machine."""
    return tag_many(Options(source=source, output=output, checkpoint=checkpoint, **options))


def tagged(output: Path) -> list[dict[str, Any]]:
    """Return every tagged row, in the order of the files."""
    import pyarrow.parquet as pq

    return [row for part in sorted((output / "tagged").iterdir()) for row in pq.read_table(part).to_pylist()]


def rejected(output: Path) -> list[dict[str, Any]]:
    """Return every row set aside."""
    parts = sorted((output / "rejected").iterdir())
    return [json.loads(line) for part in parts for line in part.read_text(encoding="utf-8").splitlines()]

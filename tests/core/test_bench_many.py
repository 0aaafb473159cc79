"""``python -m tests.bench --many``: real jobs of made-up rows, each in a fresh process."""

from __future__ import annotations

from pathlib import Path

import pytest

from mmner_core.errors import InputError
from tests.bench.many import bench_many, make_text, write_rows

pytestmark = pytest.mark.slow  # measures time


def test_made_up_rows_differ_in_length_and_repeat_exactly(tmp_path: Path) -> None:
    """As many rows as asked for, posts of a few words among whole sentences, the same each time."""
    import pyarrow.parquet as pq

    write_rows(tmp_path / "rows.parquet", 4_100)
    rows = pq.read_table(tmp_path / "rows.parquet").to_pylist()
    assert [row["id"] for row in rows] == list(range(4_100))
    lengths = [len(row["text"].split()) for row in rows]
    assert min(lengths) <= 4 and max(lengths) >= 40
    assert rows[7]["text"] == make_text(7)


def test_each_job_is_measured(person_checkpoint: Path) -> None:
    """The table has a line for each size, whose numbers are those of the job."""
    (result,) = bench_many(person_checkpoint, row_counts=[20], engines=["local"])
    assert (result["engine"], result["rows"]) == ("local", 20)
    assert result["rows_per_second"] == pytest.approx(20 / result["seconds"])
    assert result["peak_mb"] > 50


def test_a_job_that_fails_is_told(tmp_path: Path) -> None:
    """No checkpoint: the job's own sentence, not a traceback."""
    with pytest.raises(InputError, match="A measured job failed: .*none"):
        bench_many(tmp_path / "none", row_counts=[1], engines=["local"])

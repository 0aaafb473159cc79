"""``--many``: rows a second and memory of large jobs, by engine and number of rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import typer

from mmner_core.cli.output import make_table, print_json, print_out
from tests.bench.many import bench_many


def print_many(checkpoint: Path, row_counts: Sequence[int], *, json: bool) -> None:
    """Measure large jobs and print the table.

    Raises:
        InputError: if a job fails.
    """
    results = bench_many(checkpoint.absolute(), row_counts=row_counts, say=lambda line: typer.echo(line, err=True))
    if json:
        print_json(results)
        return
    rows = [
        (r["engine"], f"{r['rows']:,}", f"{r['seconds']:,.1f}", f"{r['rows_per_second']:,.1f}", f"{r['peak_mb']:,.0f}")
        for r in results
    ]
    print_out(
        make_table(["Engine", "Rows", "Seconds", "Rows/s", "Peak MB"], rows),
        "Seconds include loading the model; memory is that of the largest process that tags.",
    )

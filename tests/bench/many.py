"""How many rows a second large jobs do, and how much memory they take as the rows grow: each job a fresh process."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from mmner_core.errors import InputError
from mmner_core.runtime.repository import REPOSITORY
from tests.bench.sentences import SENTENCES

WORKERS = 2
SHARD_ROWS = 250
_ENGINES = {"local": ("--engine", "local"), "ray": ("--engine", "ray", "--workers", str(WORKERS))}
_PEOPLE = ("Ada Okafor", "Jean Petit", "María Ruiz", "Uwe Lang", "Li Chen", "Zoé Blanc", "Tom Hill", "Inés Gil")
_PLACES = ("Lima", "Quito", "Bremen", "Leeds", "Nantes", "Cádiz", "Graz", "Perth", "Kyoto", "Accra")
_POSTS = ("{who} in {where} !", "best of {who}", "{where}, 6 am", "{who} trifft {where}", "adiós {where}", "à {where}")


def bench_many(
    checkpoint: Path,
    *,
    row_counts: Sequence[int],
    engines: Sequence[str] | None = None,
    say: Callable[[str], object] = lambda _: None,
) -> list[dict[str, Any]]:
    """Tag made-up texts in jobs of several sizes, with each engine.

    Args:
        checkpoint: folder of the model.
        row_counts: sizes of the jobs.
        engines: "local", "ray"; None: those that are installed.
        say: called before each job.

    Returns:
        for each job its engine, rows, seconds (loading the model included), rows per second, and the most memory of
        any of its processes that tag, in MB.

    Raises:
        InputError: if a job fails.
    """
    if engines is None:
        engines = ("local", "ray") if importlib.util.find_spec("ray") is not None else ("local",)
    results = []
    with tempfile.TemporaryDirectory(prefix="mmner-bench-") as name:
        for engine in engines:
            for count in row_counts:
                say(f"{count:,} rows, engine {engine} ...")
                source = Path(name) / f"{count}.parquet"
                if not source.is_file():
                    write_rows(source, count)
                outcome = _run(checkpoint, source, Path(name) / f"{engine}-{count}", _ENGINES[engine])
                keys = ("rows", "seconds", "rows_per_second", "peak_mb")
                results.append({"engine": engine, **{key: outcome[key] for key in keys}})
    return results


def write_rows(file: Path, count: int) -> None:
    """Write made-up texts of 2 to 60 words in four languages, a few thousand in memory at a time."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema([("id", pa.int64()), ("text", pa.string())])
    with pq.ParquetWriter(file, schema) as writer:
        for start in range(0, count, 4_000):
            rows = [{"id": i, "text": make_text(i)} for i in range(start, min(start + 4_000, count))]
            writer.write_table(pa.Table.from_pylist(rows, schema))


def make_text(i: int) -> str:
    """Return the i-th text: a post, or one or two whole sentences."""
    who, where = _PEOPLE[i % len(_PEOPLE)], _PLACES[i * 7 % len(_PLACES)]
    parts = [_POSTS[i % len(_POSTS)].format(who=who, where=where)]
    parts += [SENTENCES[(i + k) % len(SENTENCES)][1].replace("Buenos Aires", where) for k in range(i % 3)]
    return " ".join(parts)


def _run(checkpoint: Path, source: Path, output: Path, arguments: Sequence[str]) -> dict[str, Any]:
    paths = ("--checkpoint", str(checkpoint), "--input", str(source), "--output", str(output))
    command = [sys.executable, "-m", "mmner_core", "tag-many", *paths, "--shard-rows", str(SHARD_ROWS), *arguments]
    result = subprocess.run([*command, "--json"], cwd=REPOSITORY, capture_output=True, text=True, check=False)
    if result.returncode:
        raise InputError(f"A measured job failed: {(result.stderr.strip().splitlines() or ['no message'])[-1]}")
    return dict(json.loads(result.stdout))

"""Writes a run folder atomically: complete or not at all."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from safetensors.numpy import save_file

from analysis.run.corrections import CORRECTIONS
from analysis.run.folder import COORDINATES, EMBEDDINGS, LEXICON, METRICS, PREDICTIONS, PROVENANCE, VERSION_KEY
from analysis.run.lexicon import Lexicon
from analysis.run.schema import VERSION, checked
from analysis.scores.kept_slices import SLICES
from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_folder, would_replace
from mmner_core.runtime.digests import file_digest

_ROWS_PER_GROUP = 20_000


def refuse_existing(folder: Path, *, overwrite: bool) -> None:
    """Refuse a long job whose folder could not be written at the end.

    Raises:
        InputError: if the folder exists and may not be overwritten.
    """
    if would_replace(folder) and not overwrite:
        raise InputError(f"{folder} exists already; choose another folder or add --overwrite.")


def write_run(
    folder: str | Path,
    predictions: pa.Table | Iterable[pa.Table],
    *,
    metrics: Mapping[str, Any],
    provenance: Mapping[str, Any],
    lexicon: Lexicon | None = None,
    embeddings: Mapping[str, np.ndarray] | None = None,
    coordinates: pa.Table | None = None,
    overwrite: bool = False,
) -> Path:
    """Write all files of a run beside ``folder`` and rename when they are complete.

    Args:
        folder: where the run shall lie.
        predictions: rows of :mod:`analysis.run.schema` in any order; or one table after the other, each with all rows
            of its conditions, so that a long run need not be in memory at once.
        metrics: JSON-ready numbers.
        provenance: JSON-ready facts; "files", the digests of the other files, is added.
        lexicon: training surfaces; restrict it to the entities that occur.
        embeddings: named arrays, fp16 or fp32.
        coordinates: points of the map.
        overwrite: whether a run that lies there already gives way.

    Returns:
        The folder.

    Raises:
        InputError: if a table breaks the schema or differs from the first in its columns, a condition comes twice,
            the folder exists and may not be overwritten, or it cannot be written.
    """
    folder = Path(folder)
    if would_replace(folder) and not overwrite:
        raise InputError(f"{folder} exists already; choose another folder or say that it may be overwritten.")
    tables = [predictions] if isinstance(predictions, pa.Table) else predictions
    with atomic_folder(folder, what="the run") as partial:
        _write_predictions(partial / PREDICTIONS, _by_condition(tables))
        if lexicon is not None:
            pq.write_table(lexicon.to_table(), partial / LEXICON)
        if coordinates is not None:
            pq.write_table(coordinates, partial / COORDINATES)
        if embeddings:
            _write_embeddings(partial / EMBEDDINGS, embeddings)
        _write_json(partial / METRICS, metrics)
        digests = {path.name: file_digest(path) for path in sorted(partial.iterdir())}
        _write_json(partial / PROVENANCE, {**provenance, "files": digests})
        for name in (CORRECTIONS, SLICES):  # what people kept about these sentences outlives the run
            if (folder / name).is_file():
                shutil.copy2(folder / name, partial / name)
    return folder


def _write_embeddings(path: Path, embeddings: Mapping[str, np.ndarray]) -> None:
    save_file({name: np.ascontiguousarray(array) for name, array in embeddings.items()}, path)
    path.chmod(0o644)  # safetensors writes it for the owner alone


def _by_condition(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """Yield one checked table per condition, sentences in order."""
    seen: set[str] = set()
    for table in tables:
        table = checked(table, PREDICTIONS)
        for condition in table["condition"].unique().to_pylist():
            if condition in seen:
                raise InputError(f"Condition {condition!r} comes in two tables; give each condition's rows at once.")
            seen.add(condition)
            yield table.filter(pc.equal(table["condition"], condition)).sort_by("sentence_id")


def _write_predictions(path: Path, tables: Iterator[pa.Table]) -> None:
    """Write one row group or more per condition, so that reading one skips the others."""
    first = next(tables, None)
    if first is None:
        raise InputError("There is no prediction to write; a run holds at least one sentence.")
    schema = first.schema.with_metadata({VERSION_KEY: str(VERSION).encode()})
    with pq.ParquetWriter(path, schema, compression="zstd") as writer:
        for table in itertools.chain([first], tables):
            if table.schema.names != schema.names:
                names = sorted(set(table.schema.names) ^ set(schema.names))
                raise InputError(f"Some conditions have the columns {', '.join(names)} and some have not.")
            writer.write_table(table.replace_schema_metadata(schema.metadata), row_group_size=_ROWS_PER_GROUP)


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    # NaN is not JSON: a score that is not defined must be null, so refuse it here rather than at the reader's.
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")

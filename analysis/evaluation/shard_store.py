"""Stores finished shards, so that a killed run resumes where it was, and several processes can share the work.

A shard is three files: rows (Parquet), vectors (safetensors), and last a JSON with their digests; without the JSON, or
with another digest in it, the shard is tagged again. The folder belongs to one job: the same data, photos, checkpoint
and options. Anything else in it is an older job's and is deleted.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from safetensors import SafetensorError
from safetensors.numpy import load_file, save_file

from analysis.run.answers import Answers
from analysis.run.folder import EvaluationRun
from mmner_core.errors import InputError
from mmner_core.runtime.atomic import atomic_write
from mmner_core.runtime.digests import file_digest

_JOB = "job.json"


@dataclass(frozen=True, slots=True)
class ShardStore:
    """The stored shards of one job.

    Attributes:
        folder: where they lie.
        n_shards: how many make up the run.
    """

    folder: Path
    n_shards: int

    @classmethod
    def open(cls, folder: Path, job: Mapping[str, Any], n_shards: int, *, owner: bool = True) -> ShardStore:
        """Open the folder of a job.

        Args:
            folder: where the parts lie or shall lie.
            job: everything the parts depend on, JSON-ready.
            n_shards: how many there will be.
            owner: whether this process prepares the folder; the others of a distributed run find it prepared.
        """
        text = json.dumps(job, sort_keys=True)
        if owner and not (folder / _JOB).is_file() or owner and (folder / _JOB).read_text(encoding="utf-8") != text:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            (folder / _JOB).write_text(text, encoding="utf-8")
        return cls(folder, n_shards)

    def finished(self, shard: int) -> bool:
        """Return whether a shard is stored and undamaged."""
        try:
            record = json.loads(self._file(shard, "json").read_text(encoding="utf-8"))
            return all(file_digest(self.folder / name) == expected for name, expected in record["files"].items())
        except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError):  # not what we wrote
            return False

    def write(self, shard: int, rows: pa.Table, vectors: Mapping[str, np.ndarray], facts: Mapping[str, Any]) -> None:
        """Store a shard.

        Raises:
            InputError: if it cannot be written.
        """
        table, arrays = self._file(shard, "parquet"), self._file(shard, "safetensors")
        try:
            pq.write_table(rows, table, compression="zstd")
            save_file({name: np.ascontiguousarray(array) for name, array in vectors.items()}, arrays)
            record = {"files": {file.name: file_digest(file) for file in (table, arrays)}, "facts": facts}
            with atomic_write(self._file(shard, "json")) as part:
                part.write_text(json.dumps(record), encoding="utf-8")
        except (OSError, SafetensorError) as error:
            reason = getattr(error, "strerror", None) or error
            raise InputError(
                f"{self.folder} cannot be written ({reason}); what is finished stays, the same command goes on there."
            ) from error

    def facts(self) -> list[dict[str, Any]]:
        """Return what was noted of each shard, in order."""
        records = (json.loads(self._file(i, "json").read_text(encoding="utf-8")) for i in range(self.n_shards))
        return [record["facts"] for record in records]

    def vectors(self) -> dict[str, np.ndarray]:
        """Return the arrays of all shards, one after the other."""
        parts = [load_file(self._file(i, "safetensors")) for i in range(self.n_shards)]
        return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}

    def run(self, name: str, order: Sequence[str]) -> EvaluationRun:
        """Return the run that the shards make up; a condition is read when it is asked for."""
        files = [self._file(i, "parquet") for i in range(self.n_shards)]
        counts: Counter[str] = Counter()
        for file in files:
            counts.update(pq.read_table(file, columns=["condition"])["condition"].to_pylist())
        return EvaluationRun(
            name=name,
            conditions={condition: counts[condition] for condition in order if counts[condition]},
            metrics={},
            provenance={},
            folder=None,
            _load=lru_cache(4)(partial(_read_condition, tuple(files), name)),
        )

    def remove(self) -> None:
        """Delete the shards, since the run is complete."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _file(self, shard: int, suffix: str) -> Path:
        return self.folder / f"part-{shard:05d}.{suffix}"


def files_digest(paths: Sequence[Path]) -> str:
    """Return the SHA-256 over names, sizes and times of files, enough to notice that a photo was replaced."""
    result = hashlib.sha256()
    for path in sorted(set(paths)):
        if path.is_file():
            status = path.stat()
            result.update(json.dumps([str(path), status.st_size, status.st_mtime_ns]).encode())
    return result.hexdigest()


def _read_condition(files: Sequence[Path], name: str, condition: str) -> Answers:
    # One file after the other: shards follow each other, and so do the sentences in each.
    tables = [pq.read_table(file, filters=[("condition", "=", condition)]) for file in files]
    return Answers.from_table(pa.concat_tables(tables), name)

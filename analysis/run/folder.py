"""A run folder: the answers of one checkpoint (or another system) on one split, written once, read many times.

====================== =========================================================================================
predictions.parquet    the table of :mod:`analysis.run.schema`, one row group or more per image condition
provenance.json        command, digests of data and checkpoint, seed, versions, seconds; "files": SHA-256 of the others
metrics.json           the numbers computed when the run was written
lexicon.parquet        optional: training surfaces of the entities that occur (:mod:`analysis.run.lexicon`)
embeddings.safetensors optional: named arrays of vectors
coordinates.parquet    optional: points of the map, computed once so that it looks the same on every visit
corrections.jsonl      optional: corrected gold tags (:mod:`analysis.run.corrections`), no part of the run
slices.jsonl           optional: named slices (:mod:`analysis.scores.kept_slices`), likewise
====================== =========================================================================================

A folder is written under another name and renamed when complete, so a half-written one is never taken for a run.
A file whose digest is not the one in provenance.json is refused; files added later (a map) are not listed there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from analysis.run.answers import Answers
from analysis.run.lexicon import Lexicon
from analysis.run.schema import VERSION
from mmner_core.errors import InputError
from mmner_core.runtime.digests import file_digest
from mmner_core.runtime.json_files import read_object

if TYPE_CHECKING:
    pass

PREDICTIONS, PROVENANCE, METRICS = "predictions.parquet", "provenance.json", "metrics.json"
LEXICON, EMBEDDINGS, COORDINATES = "lexicon.parquet", "embeddings.safetensors", "coordinates.parquet"
VERSION_KEY = b"mmner_run_version"
T = TypeVar("T")
CONDITIONS_KEPT = 4
"""In memory at once: two to compare, and the two before them."""
_VERSION_DIGITS = 9


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class EvaluationRun:
    """A run, read lazily: opening it reads names and counts, the rest when it is asked for.

    Each opened run is a key of its own, for what is remembered about it.

    Attributes:
        name: what to call it, the folder's name.
        conditions: image condition to the number of its sentences, "matched" first, then as written.
        metrics: content of metrics.json.
        provenance: content of provenance.json.
        folder: where it lies; None for a run that exists in memory only.
        written: how a path of the provenance is shown; as it stands unless the reader may not see it.
    """

    name: str
    conditions: dict[str, int]
    metrics: dict[str, Any]
    provenance: dict[str, Any]
    folder: Path | None
    _load: Callable[[str], Answers] = field(repr=False)
    written: Callable[[str], str] = field(default=str, repr=False)
    _remembered: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    @classmethod
    def open(cls, folder: str | Path) -> EvaluationRun:
        """Open a run folder.

        Raises:
            InputError: if it is not a run folder, is half written or damaged, or of a newer version.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise InputError(f"{folder} is no folder; a run is the folder that `python -m analysis run` writes.")
        for name in (PREDICTIONS, PROVENANCE, METRICS):
            if not (folder / name).is_file():
                raise InputError(f"{folder} lacks {name}: no run, or half written; write it anew.")
        path = folder / PREDICTIONS
        provenance = read_run_json(folder / PROVENANCE)
        for name in (PREDICTIONS, METRICS):
            _verify(folder / name, provenance)
        table = _read_parquet(path, columns=["condition"])
        _check_version(table, path)
        if not pa.types.is_string(table.schema.field("condition").type) or table["condition"].null_count:
            raise InputError(f"{path} names no image condition in some rows; write the run anew.")
        return cls(
            name=folder.name,
            conditions=_in_order(Counter(table["condition"].to_pylist())),
            metrics=read_run_json(folder / METRICS),
            provenance=provenance,
            folder=folder,
            _load=lru_cache(CONDITIONS_KEPT)(partial(_read_condition, path)),
        )

    @classmethod
    def from_table(cls, table: pa.Table, *, name: str, provenance: dict[str, Any] | None = None) -> EvaluationRun:
        """Make a run in memory from a predictions table."""

        def load(condition: str) -> Answers:
            return Answers.from_table(table.filter(pc.equal(table["condition"], condition)), name)

        return cls(
            name=name,
            conditions=_in_order(Counter(table["condition"].to_pylist())),
            metrics={},
            provenance=provenance or {},
            folder=None,
            _load=lru_cache(CONDITIONS_KEPT)(load),
        )

    @property
    def condition(self) -> str:
        """Return the condition shown by default: "matched" where there is one."""
        return next(iter(self.conditions), "")

    def answers(self, condition: str | None = None) -> Answers:
        """Return the answers under an image condition.

        Raises:
            InputError: if the run has no such condition, or the file is damaged.
        """
        condition = self.condition if condition is None else condition
        if condition not in self.conditions:
            have = ", ".join(self.conditions) or "none"
            raise InputError(f"Run {self.name!r} has no image condition {condition!r}; it has: {have}.")
        return self._load(condition)

    def remember(self, key: Hashable, compute: Callable[[], T]) -> T:
        """Return what ``compute`` gives, computed once for as long as the run is open.

        Args:
            key: names the result; the same key must always stand for the same computation.
            compute: is called the first time.
        """
        if key not in self._remembered:
            self._remembered[key] = compute()
        result: T = self._remembered[key]
        return result

    def lexicon(self) -> Lexicon | None:
        """Return the training surfaces, or None where the run was written without training data."""
        path = self._optional(LEXICON)
        if path is None:
            return None
        try:
            return Lexicon.from_table(_read_parquet(path))
        except (pa.ArrowException, KeyError, TypeError) as error:
            raise InputError(f"{path} holds no surface forms with their types; write the run anew.") from error

    def coordinates(self) -> pd.DataFrame | None:
        """Return the stored points of the map, or None where they were not computed."""
        path = self._optional(COORDINATES)
        return _read_parquet(path).to_pandas() if path else None

    def embedding_names(self) -> tuple[str, ...]:
        """Return the names of the stored arrays; empty where there are none."""
        path = self._optional(EMBEDDINGS)
        return tuple(_safetensors(path, None)) if path else ()

    def embedding(self, name: str) -> np.ndarray:
        """Return a stored array.

        Raises:
            InputError: if the run has no such array, or the file is damaged.
        """
        path = self._optional(EMBEDDINGS)
        if path is None or name not in self.embedding_names():
            raise InputError(f"Run {self.name!r} holds no vectors {name!r}; write it from a checkpoint to see them.")
        return _safetensors(path, name)

    def _optional(self, name: str) -> Path | None:
        if self.folder is None or not (self.folder / name).is_file():
            return None
        _verify(self.folder / name, self.provenance)
        return self.folder / name


def _verify(path: Path, provenance: dict[str, Any]) -> None:
    files = provenance.get("files")
    expected = files.get(path.name) if isinstance(files, dict) else None
    if expected is None and path.name == PREDICTIONS:
        raise InputError(f"{path.parent / PROVENANCE} has no digest of {PREDICTIONS}; write the run anew.")
    if expected is not None and file_digest(path) != expected:
        raise InputError(f"{path} is not the file that {PROVENANCE} describes: damaged or changed; write the run anew.")


def _in_order(conditions: Counter[str]) -> dict[str, int]:
    return dict(sorted(conditions.items(), key=lambda item: item[0] != "matched"))


def _read_condition(path: Path, condition: str) -> Answers:
    return Answers.from_table(_read_parquet(path, filters=[("condition", "=", condition)]), str(path))


def _read_parquet(path: Path, **options: Any) -> pa.Table:
    try:
        return pq.read_table(path, **options)
    except (pa.ArrowException, OSError, KeyError, ValueError) as error:
        raise InputError(f"{path} cannot be read: it is damaged or half written; write the run anew.") from error


def read_run_json(path: Path) -> dict[str, Any]:
    """Read a JSON object of a run folder.

    Raises:
        InputError: if it is none.
    """
    return read_object(path, "write the run anew")


def _safetensors(path: Path, name: str | None) -> Any:
    """Read one array, or the names of all."""
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as file:
            return list(file.keys()) if name is None else file.get_tensor(name)
    except (SafetensorError, OSError) as error:
        raise InputError(f"{path} is damaged or half written; write the run anew.") from error


def _check_version(table: pa.Table, path: Path) -> None:
    text = (table.schema.metadata or {}).get(VERSION_KEY, b"")
    if not text.isdigit() or len(text) > _VERSION_DIGITS:
        raise InputError(f"{path} is not the predictions table of a run; write it with `python -m analysis run`.")
    if int(text) > VERSION:
        raise InputError(f"{path} has version {int(text)}, this workbench reads up to {VERSION}; update it.")

"""The library of runs: folders found where the app was told to look, opened once and anew when they change."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from analysis.jobs.job import job_folder
from analysis.panels.facts import checkpoint_of, evaluated_split
from analysis.run.folder import PROVENANCE, EvaluationRun, read_run_json
from analysis.views.research.places import told_places
from mmner_core.errors import InputError

DEMO_RUNS = Path(__file__).resolve().parents[2] / "demo" / "runs"
FIRST = "demo"  # shown unless another is chosen
VALID = "valid"


class RunLibrary:
    """The runs below some folders.

    Args:
        folders: each is a run itself or holds runs; in folders named later, a name taken already gets its parent's
            name in front.
        made: returns the runs that the user has made who asks; nobody else sees them.
    """

    def __init__(self, folders: Sequence[Path] = (), made: Callable[[], Iterable[Path]] = tuple) -> None:
        self.folders = (DEMO_RUNS, *folders)
        self._made = made
        self._open: dict[Path, tuple[int, EvaluationRun]] = {}
        self._lock = Lock()

    def paths(self) -> dict[str, Path]:
        """Return the runs by name: those that everybody may see, then those that the user who asks has made."""
        found = self.served()
        for path in self._made():
            found.setdefault(path.name if path.name not in found else f"mine/{path.name}", path)
        return found

    def served(self) -> dict[str, Path]:
        """Return the runs that everybody may see, the demo run first, then in the order of the folders."""
        found: dict[str, Path] = {}
        for folder in self.folders:
            for path in [folder, *sorted(folder.iterdir())] if folder.is_dir() else []:
                if not path.name.startswith(".") and (path / PROVENANCE).is_file():
                    name = path.name if path.name not in found else f"{path.parent.name}/{path.name}"
                    found.setdefault(name, path)
        return dict(sorted(found.items(), key=lambda item: item[0] != FIRST))

    def valid_runs(self, run: EvaluationRun) -> list[str]:
        """Return the runs of the same checkpoint over a validation split, those of the same data first.

        They are what a temperature may be fitted on; a folder that cannot be read is none of them.
        """
        checkpoint, data = checkpoint_of(run.provenance), _data_path(run.provenance)
        if not checkpoint:
            return []
        found = {}
        for name, path in self.paths().items():
            try:
                provenance = read_run_json(path / PROVENANCE)
            except InputError:
                continue
            if path != run.folder and checkpoint_of(provenance) == checkpoint and evaluated_split(provenance) == VALID:
                found[name] = _data_path(provenance) != data
        return sorted(found, key=lambda name: found[name])

    def of_checkpoint(self, digest: str) -> str:
        """Return the name of the first run that a checkpoint made, "" for none; what cannot be read is no run of it."""
        for name, path in self.paths().items():
            try:
                if checkpoint_of(read_run_json(path / PROVENANCE)) == digest:
                    return name
            except InputError:
                continue
        return ""

    def run(self, name: str = "") -> EvaluationRun:
        """Return a run by its name, its paths as a visitor may see them; "" is the first.

        Raises:
            InputError: if there is none, or it cannot be used.
        """
        paths = self.paths()
        if not paths:
            raise InputError(
                "There is no run to show. Write one with `python -m analysis run --checkpoint DIR --data PATH --out "
                "FOLDER` and start the app with `--runs FOLDER`."
            )
        name = name or next(iter(paths))
        if name not in paths:
            raise InputError(f"There is no run {name!r}; there are {', '.join(paths)}.")
        path = paths[name]
        stamp = (path / PROVENANCE).stat().st_mtime_ns
        with self._lock:
            kept = self._open.get(path)
            if kept is None or kept[0] != stamp:
                self._open = {other: run for other, run in self._open.items() if other.is_dir()}  # deleted meanwhile
                kept = self._open[path] = (stamp, told_places(_placed(EvaluationRun.open(path))))
            return kept[1]


def _data_path(provenance: dict[str, Any]) -> str:
    data = provenance.get("data")
    return str(data.get("path")) if isinstance(data, dict) else ""


def _placed(run: EvaluationRun) -> EvaluationRun:
    """Return a run that a job has made, which names its data relative to the job's folder, with where they are."""
    home = job_folder(run.folder) if run.folder is not None else None
    data = run.provenance.get("data")
    if home is None or not isinstance(data, dict):
        return run
    placed = {key: str(home / str(data.get(key) or "")) for key in ("path", "images")}
    return replace(run, provenance={**run.provenance, "data": {**data, **placed}})

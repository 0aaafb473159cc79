"""Runs a large job: plans its shards, skips finished ones, gives the others to an engine, sums up."""

from __future__ import annotations

import os
import platform
import sys
import time
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

from mmner_core.errors import InputError
from mmner_core.large_jobs.inputs import Scan, find_inputs, scan
from mmner_core.large_jobs.job import LargeJob, LargeJobSettings, alone, begin
from mmner_core.large_jobs.row_requests import Defaults
from mmner_core.large_jobs.shards import Counts, Shard, finished, prepare_output
from mmner_core.runtime.memory import peak_megabytes

Engine = Literal["local", "ray"]
SHARD_ROWS = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """Options of a large job.

    Attributes:
        source: a file or a folder of files.
        output: folder for the results.
        checkpoint: folder of the model.
        images: folder of the photos; None: that of the input.
        lang, convention: of rows that do not say.
        compare: also say what the text alone would have given.
        shard_rows: rows per shard: what a kill costs at most, for each worker.
        engine: "local" or "ray".
        workers: actors of the ray engine; None: one for each core of this machine.
        address: of a Ray cluster; None starts one here.
    """

    source: Path
    output: Path
    checkpoint: Path
    images: Path | None = None
    lang: str | None = None
    convention: str | None = None
    compare: bool = True
    shard_rows: int = SHARD_ROWS
    engine: Engine = "local"
    workers: int | None = None
    address: str | None = None


@dataclass(slots=True, kw_only=True)
class JobSummary:
    """The result of a job.

    Attributes:
        rows, tagged, rejected: of the whole job, earlier runs included.
        earlier: rows that earlier runs had done.
        seconds: that this run spent tagging, loading of the model included.
        peak_mb: most memory of this process, or of any worker.
        unread: columns that nobody reads, by file; of many alike, the first file.
    """

    rows: int = 0
    tagged: int = 0
    rejected: int = 0
    earlier: int = 0
    seconds: float = 0.0
    peak_mb: float = 0.0
    unread: dict[str, list[str]] = field(default_factory=dict)

    def add(self, counts: Counts) -> None:
        """Count a shard that is done."""
        self.tagged += counts.tagged
        self.rejected += counts.rejected

    def to_json(self) -> dict[str, Any]:
        """Return the fields, and the rows that this run did per second."""
        now = self.tagged + self.rejected - self.earlier
        return {**asdict(self), "rows_per_second": now / self.seconds if self.seconds else None}


def tag_many(options: Options, *, say: Callable[[str], object] = lambda _: None) -> JobSummary:
    """Tag all rows of the input, going on where an earlier run of the same job was stopped.

    Args:
        options: what is to be done.
        say: called with a sentence that the user should read now.

    Raises:
        InputError: if input or checkpoint cannot be used, or the output holds something else.
    """
    root, files = find_inputs(options.source)
    images = (options.images or root).resolve()
    _check(options, images)
    with alone(options.output):
        scans = [scan(path, path.relative_to(root).as_posix(), options.shard_rows) for path in files]
        shards = list(_plan(files, scans, options.shard_rows))
        job = _job(options, images, scans)
        summary = JobSummary(
            rows=sum(shard.rows for shard in shards), unread=_first_of_each(scans, lambda scanned: scanned.unread)
        )
        for name, columns in summary.unread.items():
            say(f"{name}: columns not read, but handed through in extra: {', '.join(columns)}.")
        for name, columns in _first_of_each(scans, lambda scanned: scanned.lost).items():
            say(f"{name}: of these cannot be handed through, since JSON cannot hold them: {', '.join(columns)}.")
        resumed = begin(options.output, job, _facts(options))
        prepare_output(options.output)
        todo = []
        for shard in shards:
            counts = finished(options.output, job.digest, shard) if resumed else None
            if counts is None:
                todo.append(shard)
            else:
                summary.add(counts)
        summary.earlier = summary.tagged + summary.rejected
        if summary.earlier:
            say(f"Going on: {summary.earlier:,} of {summary.rows:,} rows were done before.")
        if todo:
            _tag(options, todo, Defaults(images=images, lang=options.lang, convention=options.convention), job, summary)
        summary.peak_mb = max(summary.peak_mb, peak_megabytes())
    return summary


def _check(options: Options, images: Path) -> None:
    """Refuse at once what would otherwise fail for each row."""
    from mmner_core.checkpoints.folder import check_files, read_checkpoint_json
    from mmner_core.config import ModelConfig
    from mmner_core.text.language_names import LANGUAGES

    if not images.is_dir():
        raise InputError(f"{images} is not a folder; --images names the folder that holds the photos.")
    if options.lang is not None and options.lang not in LANGUAGES:
        raise InputError(f"There is no language {options.lang!r}; choose {', '.join(LANGUAGES)}.")
    check_files(options.checkpoint)
    file = options.checkpoint / "config.json"
    known = ModelConfig.from_dict(read_checkpoint_json(file), str(file)).conventions
    if options.convention is not None and options.convention not in known:
        raise InputError(
            f"This checkpoint has no convention {options.convention!r}; it has {', '.join(known) or 'one'}."
        )


def _plan(files: Sequence[Path], scans: Sequence[Scan], every: int) -> Iterator[Shard]:
    """Cut each file into runs of rows."""
    index = 0
    for path, scanned in zip(files, scans, strict=True):
        for start in scanned.places:
            stop = min(start.row + every, scanned.file.rows)
            yield Shard(index=index, path=path.resolve(), name=scanned.file.name, start=start, stop=stop)
            index += 1


def _job(options: Options, images: Path, scans: Sequence[Scan]) -> LargeJob:
    from mmner_core.checkpoints.folder import folder_digest

    return LargeJob(
        input=tuple(scanned.file for scanned in scans),
        checkpoint=folder_digest(options.checkpoint),
        settings=LargeJobSettings(
            images=str(images),
            lang=options.lang,
            convention=options.convention,
            compare=options.compare,
            shard_rows=options.shard_rows,
        ),
    )


def _facts(options: Options) -> dict[str, Any]:
    """Return facts that do not determine the output but may explain it."""
    packages = ("torch", "pyarrow", "spacy", "lingua-language-detector")
    return {
        "source": str(options.source.resolve()),
        "checkpoint_folder": str(options.checkpoint.resolve()),
        "engine": options.engine,
        "command": sys.argv,
        "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
    }


def _first_of_each(scans: Sequence[Scan], columns_of: Callable[[Scan], list[str]]) -> dict[str, list[str]]:
    """Return some columns of each file, once for all files that have the same."""
    first: dict[tuple[str, ...], str] = {}
    for scanned in scans:
        if columns_of(scanned):
            first.setdefault(tuple(columns_of(scanned)), scanned.file.name)
    return {name: list(columns) for columns, name in first.items()}


def _tag(options: Options, shards: Sequence[Shard], defaults: Defaults, job: LargeJob, summary: JobSummary) -> None:
    """Hand shards to the engine, with a progress bar on a terminal."""
    from tqdm import tqdm

    started = time.perf_counter()
    with tqdm(total=summary.rows, initial=summary.earlier, unit="row", desc="tagging", disable=None) as bar:
        with closing(_engine(options, shards, defaults, job, summary, bar.update)) as counts:
            for count in counts:
                summary.add(count)
    summary.seconds = time.perf_counter() - started


def _engine(
    options: Options,
    shards: Sequence[Shard],
    defaults: Defaults,
    job: LargeJob,
    summary: JobSummary,
    advance: Callable[[int], object],
) -> Generator[Counts]:
    output, compare = options.output.resolve(), options.compare
    if options.engine == "local":
        from mmner_core.large_jobs.local import tag_here

        yield from tag_here(
            shards, options.checkpoint, defaults, output=output, job=job.digest, compare=compare, advance=advance
        )
        return
    from mmner_core.large_jobs.cluster import Cluster, tag_on_cluster

    def note(peak: float) -> None:
        summary.peak_mb = max(summary.peak_mb, peak)

    workers = min(options.workers or os.cpu_count() or 1, len(shards))
    yield from tag_on_cluster(
        shards,
        options.checkpoint.resolve(),
        defaults,
        Cluster(workers=workers, address=options.address),
        settings={"output": output, "job": job.digest, "compare": compare},
        advance=advance,
        peaks=note,
    )

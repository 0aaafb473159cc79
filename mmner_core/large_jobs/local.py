"""The engine for one machine: shard after shard, in this process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from mmner_core.large_jobs.row_requests import Defaults
from mmner_core.large_jobs.shards import Counts, Shard
from mmner_core.large_jobs.tagging import tag_shard


def tag_here(
    shards: Iterable[Shard],
    checkpoint: Path,
    defaults: Defaults,
    *,
    output: Path,
    job: str,
    compare: bool,
    advance: Callable[[int], object],
) -> Iterator[Counts]:
    """Tag shards one after the other; see :func:`~mmner_core.large_jobs.tagging.tag_shard`."""
    from mmner_core.inference.tagger import Tagger
    from mmner_core.runtime.memory import begin_long_job, release_freed_memory

    tagger = Tagger.load(checkpoint)
    begin_long_job()
    for shard in shards:
        yield tag_shard(tagger, shard, defaults, output=output, job=job, compare=compare, advance=advance)
        release_freed_memory()

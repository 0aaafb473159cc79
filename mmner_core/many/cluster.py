"""The engine for a cluster: Ray Data hands shards to actors, each of which loads the model once.

Input, photos, checkpoint and output must be under the same paths on every machine, as on a shared file system, and
the package installed there. Shards and their files are those of the engine for one machine.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mmner_core.errors import InputError
from mmner_core.many.records import Place
from mmner_core.many.requests import Defaults
from mmner_core.many.shards import Counts, Shard
from mmner_core.many.tagging import tag_shard

if TYPE_CHECKING:
    import numpy as np

    from mmner_core.inference.tagger import Tagger

OBJECT_STORE_BYTES = 100 * 2**20
"""Only the names of shards and their counts pass through it; Ray wants at least 75 MB."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """Where to run: how many actors, and the cluster's address; None starts one on this machine."""

    workers: int
    address: str | None = None


class ShardTagger:
    """An actor: loads the checkpoint once, then tags the shards that it is handed."""

    def __init__(self, checkpoint: str, defaults: Defaults, settings: dict[str, Any]) -> None:
        from mmner_core.inference.tagger import Tagger
        from mmner_core.runtime.memory import begin_long_job

        self.defaults = defaults
        self.settings = settings
        self.tagger: Tagger | None = None
        self.problem = ""
        try:
            self.tagger = Tagger.load(checkpoint)
        except InputError as error:
            self.problem = str(error)
        begin_long_job()

    def __call__(self, batch: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Tag the shards given, one a row; return their counts, or what is wrong with the input.

        A mistake of the user's goes back as a value: of an exception Ray hands on only the traceback.
        """
        import numpy as np

        from mmner_core.runtime.memory import peak_megabytes, release_freed_memory

        shards = [_from_row(dict(zip(batch, row, strict=True))) for row in zip(*batch.values(), strict=True)]
        counts = [self._tag(shard) for shard in shards]
        release_freed_memory()
        return {
            "tagged": np.array([count.tagged for count in counts]),
            "rejected": np.array([count.rejected for count in counts]),
            "peak_mb": np.array([peak_megabytes()] * len(counts)),
            "problem": np.array([self.problem] * len(counts), dtype=object),
        }

    def _tag(self, shard: Shard) -> Counts:
        if self.tagger is not None and not self.problem:
            try:
                return tag_shard(self.tagger, shard, self.defaults, **self.settings)
            except InputError as error:
                self.problem = str(error)
        return Counts(0, 0)


def _to_row(shard: Shard) -> dict[str, Any]:
    """Return a shard as a row of plain columns."""
    return {
        "index": shard.index,
        "path": str(shard.path),
        "name": shard.name,
        "stop": shard.stop,
        **shard.start._asdict(),
    }


def _from_row(row: dict[str, Any]) -> Shard:
    start = Place(int(row["row"]), int(row["offset"]), int(row["line"]))
    index, stop = int(row["index"]), int(row["stop"])
    return Shard(index=index, path=Path(row["path"]), name=str(row["name"]), start=start, stop=stop)


def tag_on_cluster(
    shards: Sequence[Shard],
    checkpoint: Path,
    defaults: Defaults,
    cluster: Cluster,
    *,
    settings: dict[str, Any],
    advance: Callable[[int], object],
    peaks: Callable[[float], object],
) -> Iterator[Counts]:
    """Tag shards on a Ray cluster, in whatever order they finish.

    Args:
        shards: what is to be done.
        checkpoint: folder of the model.
        defaults: what holds for rows that do not say.
        cluster: where to run.
        settings: the other arguments of :func:`~mmner_core.many.tagging.tag_shard`.
        advance: called with the number of rows just done.
        peaks: called with the peak memory of an actor so far, in MB.

    Raises:
        ModuleNotFoundError: if Ray is not installed.
        InputError: if Ray is not to be reached, or as :func:`~mmner_core.many.tagging.tag_shard`.
    """
    _start(cluster)
    import ray
    from ray import data

    try:
        data.DataContext.get_current().enable_progress_bars = False  # the command has its own
        logging.getLogger("ray.data").setLevel(logging.ERROR)
        # Not data.range: that reads in tasks of its own, for which the actors would leave no core.
        rows = data.from_items([_to_row(shard) for shard in shards], override_num_blocks=len(shards))
        done = rows.map_batches(
            ShardTagger,
            fn_constructor_args=(str(checkpoint), defaults, settings),
            batch_size=1,
            compute=data.ActorPoolStrategy(size=cluster.workers),
            num_cpus=1,
        )
        for row in done.iter_rows():
            if row["problem"]:
                raise InputError(row["problem"])
            counts = Counts(int(row["tagged"]), int(row["rejected"]))
            peaks(float(row["peak_mb"]))
            advance(sum(counts))
            yield counts
    finally:
        ray.shutdown()


def _start(cluster: Cluster) -> None:
    """Join the cluster, or start one here: no dashboard, no usage statistics."""
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 starves its workers on a machine that does more
    import ray

    quiet: dict[str, Any] = {"logging_level": "error", "log_to_driver": False}
    try:
        if cluster.address is not None:
            ray.init(address=cluster.address, **quiet)
        else:
            size: dict[str, Any] = {"num_cpus": cluster.workers, "object_store_memory": OBJECT_STORE_BYTES}
            ray.init(address="local", include_dashboard=False, **size, **quiet)
    except (ConnectionError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise InputError(f"There is no Ray cluster at {cluster.address or 'this machine'}: {reason}") from error

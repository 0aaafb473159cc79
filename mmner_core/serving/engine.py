"""One loaded model serving many visitors: each thread prepares its request, the model answers them in groups.

A long text is read in pieces, between which the others have their turns.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from mmner_core.inference.pieces import Pieces
from mmner_core.photos.open import claimed_pixels
from mmner_core.runtime.memory import release_freed_memory
from mmner_core.serving.batcher import MicroBatcher
from mmner_core.serving.budgets import TOO_MANY_LOADS, TOO_MANY_PIXELS, MinuteBudget
from mmner_core.serving.fair_slots import FairSlots
from mmner_core.serving.pool import CheckpointPool, find_checkpoints
from mmner_core.serving.visitor import current_visitor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mmner_core.inference.tag_job import TagJob, TagRequest
    from mmner_core.inference.tagger import Tagger
    from mmner_core.results import Prediction
    from mmner_core.serving.config import ServingConfig


T = TypeVar("T")
DECODING = FairSlots(2)
"""Photos decoded at once, in the whole process: one of the size allowed may take a gigabyte while it is."""
GROUP_SUBWORDS = 1024
"""Of the texts of a group together: sixteen sentences of 64 each; a text beyond it is read in pieces."""
PIECE_SUBWORDS = 512
"""Of a long text in a piece: two whole windows, 80 ms of a core; in longer pieces no more is read in a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """A prepared request and whether its sender wants to know where the words looked."""

    job: TagJob
    attention: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """Other work for the model's thread."""

    work: Callable[[], Any]


class Engine:
    """Tags requests of many threads, and runs their other work on the model in between.

    Args:
        tagger: the model.
        batch_size: most requests in one pass.
        megapixels: what visitors may have decoded; None: as much as they like.
    """

    def __init__(self, tagger: Tagger, *, batch_size: int, megapixels: MinuteBudget | None = None) -> None:
        self.tagger = tagger
        self._megapixels = megapixels
        self._batcher: MicroBatcher[Any, Any] = MicroBatcher(
            self._tag,
            max_size=batch_size,
            run_in_pieces=self._do_in_pieces,
            max_weight=GROUP_SUBWORDS,
            name="tagger",
        )

    @property
    def alive(self) -> bool:
        """Return whether requests are answered."""
        return self._batcher.alive

    def submit(self, request: TagRequest, *, attention: bool = True) -> Future[Prediction]:
        """Check a request and prepare it in the caller's thread; the future holds the answer.

        Raises:
            InputError: if the request is at fault, or its visitor had as many pixels decoded as allowed.
        """
        if isinstance(request.image, bytes) and self._megapixels is not None:
            self._spend_pixels(request.image)
        with nullcontext() if request.image is None else DECODING:
            job = self.tagger.prepare(request)
        ready = _Ready(job=job, attention=attention)
        weight = sum(len(window.input_ids) for window in job.windows)
        return self._batcher.submit(ready, sender=current_visitor(), weight=weight)

    def _spend_pixels(self, photo: bytes) -> None:
        """Charge the visitor for a photo that is not in the cache."""
        _, known = self.tagger.photos.look_up(photo)
        if known is None and self._megapixels is not None:
            self._megapixels.spend(claimed_pixels(photo, self.tagger.limits) / 1e6)

    def tag(self, request: TagRequest, *, attention: bool = True) -> Prediction:
        """Tag a request, together with whatever else waits.

        Raises:
            InputError: if the request is at fault.
        """
        return self.submit(request, attention=attention).result()

    def run(self, work: Callable[[], T]) -> Future[T]:
        """Run other work in the model's own thread, when it is the visitor's turn.

        Nobody else is answered meanwhile, so it should not take longer than a group of requests does.

        Args:
            work: uses the model; the future holds what it returns or raises.
        """
        return self._batcher.submit(_Other(work=work), sender=current_visitor(), weight=math.inf)

    def close(self) -> None:
        """Answer the waiting requests, then release the model's memory."""
        self._batcher.close()
        del self.tagger
        release_freed_memory()

    def _tag(self, group: Sequence[_Ready]) -> list[Prediction]:
        answers: dict[int, Prediction] = {}
        # Apart, for attention that is to be shown is computed, and rounded, otherwise: no answer depends on neighbours.
        for attention in {ready.attention for ready in group}:
            places = [i for i, ready in enumerate(group) if ready.attention is attention]
            found = self.tagger.tag_prepared([group[i].job for i in places], attention=attention)
            answers.update(zip(places, found, strict=True))
        return [answers[i] for i in range(len(group))]

    def _do_in_pieces(self, asked: _Ready | _Other) -> Pieces[Any]:
        if isinstance(asked, _Other):
            return asked.work()  # a single piece
        pieces = self.tagger.tag_in_pieces([asked.job], attention=asked.attention, batch_subwords=PIECE_SUBWORDS)
        [answer] = yield from pieces
        return answer


def load_engine(folder: Path, config: ServingConfig, megapixels: MinuteBudget | None = None) -> Engine:
    """Load a checkpoint and tag a first text, which loads what is only needed then: no visitor should wait for it.

    Args:
        folder: the checkpoint.
        config: limits, and how requests are grouped.
        megapixels: what visitors may have decoded.

    Raises:
        InputError: if the folder is not a whole, undamaged checkpoint.
    """
    from mmner_core.inference.tagger import Tagger

    tagger = Tagger.load(folder, limits=config.image_limits, text_limits=config.text_limits)
    tagger.tag("Hello")
    release_freed_memory()  # a third of what loading took
    return Engine(tagger, batch_size=config.batch_size, megapixels=megapixels)


def megapixel_budget(config: ServingConfig) -> MinuteBudget:
    """Return the budget of pixels that a visitor may have decoded in a minute."""
    return MinuteBudget(config.visitor_megapixels, TOO_MANY_PIXELS)


def open_pool(config: ServingConfig, megapixels: MinuteBudget | None = None) -> CheckpointPool[Engine]:
    """Return the models that the settings name; none is loaded yet.

    Args:
        config: which models, how many at once.
        megapixels: what visitors may have decoded, whichever model looks.

    Raises:
        InputError: if the folder of models cannot be listed.
    """
    return CheckpointPool(
        find_checkpoints(config.checkpoint, config.checkpoints),
        lambda folder: load_engine(folder, config, megapixels),
        max_loaded=config.max_loaded,
        max_bytes=config.max_loaded_gb * 1e9,
        loads=MinuteBudget(config.visitor_loads, TOO_MANY_LOADS),
    )

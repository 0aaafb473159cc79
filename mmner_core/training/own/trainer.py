"""A trainer on data that are already read, and a measurement of its speed."""

from __future__ import annotations

import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeVar

from mmner_core.inference.image_loader import ImageLoader
from mmner_core.training.loop import Trainer
from mmner_core.training.mixture import Mixture
from mmner_core.training.own.new_types import begin_with
from mmner_core.training.own.plan import Plan
from mmner_core.training.start import freeze_others

T = TypeVar("T")
STEPS = 6
"""Timed steps, after one that is not: the first sets up much that the others use."""
SCORED = 64
"""Sentences whose scoring is timed."""


class OwnTrainer(Trainer):
    """Trains on a user's data.

    Args:
        plan: the run with its data.
        out: folder of the run.
    """

    def __init__(self, plan: Plan, out: Path) -> None:
        self.plan = plan
        self.photo_seconds = 0.0
        super().__init__(plan.run, Path(), out, plan.tokenizer)

    def _read(self, data: Path) -> Mixture:
        return replace(self.plan.mixture, train=list(self.plan.mixture.train))

    def _start(self) -> None:
        if self.config.init is None:
            super()._start()
            return
        begin_with(self.model, self.config.init)
        freeze_others(self.model, self.config.trainable)

    def _image_loader(self, mixture: Mixture) -> ImageLoader | None:
        if not self.plan.sees:
            return None
        started = time.perf_counter()
        images = super()._image_loader(mixture)
        self.photo_seconds = time.perf_counter() - started
        return images


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The speed of a run on a device: seconds to encode a photo (once), to train on a sentence, to score one."""

    photo: float
    learnt: float
    scored: float
    device: str = "cpu"


class _Rehearsal(OwnTrainer):
    def measure(self) -> Pace:
        """Time the steps of an epoch on a sample of the data, and the scoring of some sentences."""
        self._train_mode()
        learnt, seconds = 0, 0.0
        for number, batch in enumerate(self.loader):
            started = time.perf_counter()
            self._step(batch)
            if number or len(self.batches) == 1:
                learnt += len(batch.input_ids)
                seconds += time.perf_counter() - started
        photos = len({e.image for e in self.mixture.with_images()})
        examples = [example for part in self.mixture.valid.values() for example in part]
        self.network.eval()
        started = time.perf_counter()
        self._predict(examples)
        return Pace(
            photo=self.photo_seconds / max(photos, 1),
            learnt=seconds / max(learnt, 1),
            scored=(time.perf_counter() - started) / len(examples),
            device=str(self.accelerator.device),
        )


def measure_pace(plan: Plan) -> Pace:
    """Train for a few steps in a folder that is then thrown away, and time them."""
    config = plan.run.training
    rng = random.Random(config.seed)
    train = _some(plan.mixture.train, (STEPS + 1) * config.batch_sentences, rng)
    valid = {name: _some(part, SCORED // len(plan.mixture.valid), rng) for name, part in plan.mixture.valid.items()}
    few = replace(plan, mixture=replace(plan.mixture, train=train, valid=valid))
    before = logging.root.manager.disable
    logging.disable(logging.INFO)  # what it says of the few data would be taken for what is to be trained on
    try:
        with TemporaryDirectory(prefix="mmner-pace-") as folder:
            rehearsal = _Rehearsal(few, Path(folder) / "run")
            try:
                return rehearsal.measure()
            finally:
                for tracker in rehearsal.accelerator.trackers:  # they write into the folder
                    tracker.finish()
    finally:
        logging.disable(before)


def _some(rows: Sequence[T], n: int, rng: random.Random) -> list[T]:
    return rng.sample(rows, min(max(n, 1), len(rows)))

"""A run of a few seconds on the tiny data; as a program it trains, and kills itself at a step if one is given."""

from __future__ import annotations

import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from safetensors.torch import save_file

from mmner_core.presets import tiny
from mmner_core.training.config import DataSource, Recipe, TrainConfig
from mmner_core.training.loop import Trainer

DATA = Path(__file__).parents[1] / "data"
LAST = "last.safetensors"
"""The weights after the last step, which the program writes beside those of the best epoch."""


def tiny_run(text_folder: Path, *, frozen: bool = False, **training: Any) -> Recipe:
    """Describe a run of preset ``tiny`` from the text encoder in a folder; ``training`` replaces hyper-parameters."""
    source = DataSource(path="tiny", images="tiny/images", image_dropout=0.2, random_image=0.1)
    options: dict[str, Any] = {
        "train": (source,),
        "valid": (DataSource(path="tiny", images="tiny/images"),),
        "epochs": 3,
        "batch_sentences": 4,
        "encoder_lr": 1e-3,
        "head_lr": 1e-2,
        "precision": "no",
        "window": 64,
    }
    model = tiny()
    assert model.cnn is not None
    model = replace(model, text=replace(model.text, name=str(text_folder)), cnn=replace(model.cnn, frozen=frozen))
    return Recipe(model=model, training=TrainConfig(**(options | training)))


class KilledTrainer(Trainer):
    """A trainer whose process is killed, as by a power cut, when it comes to a given step."""

    steps_left = 0

    def _step(self, batch: Any) -> dict[str, float]:
        self.steps_left -= 1
        if self.steps_left < 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._step(batch)


if __name__ == "__main__":
    text_folder, tokenizer_folder, out, *steps = sys.argv[1:]
    run = tiny_run(Path(text_folder), workers=2, precompute_images=False)
    trainer = KilledTrainer(run, DATA, Path(out), tokenizer_folder)
    trainer.steps_left = int(steps[0]) if steps else sys.maxsize
    trainer.train()
    save_file({name: weight.contiguous() for name, weight in trainer.model.state_dict().items()}, f"{out}/{LAST}")

"""A run that is killed and started again ends with the weights that it would have had."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from mmner_core.inference.image_loader import StoredImages
from mmner_core.training.loop import Trainer
from tests.core.training_run import DATA, LAST, tiny_run
from tests.told import refused

pytestmark = pytest.mark.slow  # trains

REPOSITORY = Path(__file__).parents[2]


def train(out: Path, text_folder: Path, tokenizer_folder: Path, **options: object) -> Trainer:
    """Train a tiny run to its end in this process, from wherever the folder says it stands."""
    trainer = Trainer(tiny_run(text_folder, **options), DATA, out, tokenizer_folder)
    trainer.train()
    return trainer


def metrics(out: Path) -> list[dict[str, float]]:
    """Read the run's metrics without the wall-clock times."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k != "valid_seconds"} for line in lines]


def assert_same_weights(got: dict[str, torch.Tensor], want: dict[str, torch.Tensor]) -> None:
    """Compare weights up to the noise of float32 sums, which Adam makes larger where gradients are tiny.

    Seen of noise: one element in 4,096 off by 3e-4. One other batch in one step moves the median tensor by 2e-3.
    """
    assert got.keys() == want.keys()
    apart = {name: (got[name].double() - want[name].double()).abs().mean().item() for name in want}
    assert apart == pytest.approx(dict.fromkeys(want, 0.0), abs=5e-5)


def test_a_killed_run_goes_on_exactly(tmp_path: Path, tiny_bert: Path, tokenizer_folder: Path) -> None:
    """SIGKILL in the second epoch, then resume: weights and metrics are those of an uninterrupted run."""
    batches = Trainer(tiny_run(tiny_bert), DATA, tmp_path / "none", tokenizer_folder).batches
    steps = len(batches.batches(0)) + len(batches.batches(1)) // 2
    whole, killed = tmp_path / "whole", tmp_path / "killed"

    def train_in_a_process(out: Path, *steps: int) -> int:
        """Return the exit status; what other tests did to the process of this one would show in the last digits."""
        command = [sys.executable, "-m", "tests.core.training_run", tiny_bert, tokenizer_folder, out, *steps]
        return subprocess.call(
            [str(part) for part in command], cwd=REPOSITORY, env=os.environ | {"HF_HUB_OFFLINE": "1"}
        )

    assert train_in_a_process(whole) == 0
    assert train_in_a_process(killed, steps) == -signal.SIGKILL
    assert json.loads((killed / "state" / "progress.json").read_text())["epoch"] == 1
    assert train_in_a_process(killed) == 0

    for weights in (LAST, "best.safetensors"):
        assert_same_weights(load_file(killed / weights), load_file(whole / weights))
    assert metrics(killed) == [pytest.approx(line, abs=1e-3) for line in metrics(whole)]


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path, tokenizer_folder: Path) -> Path:
    """Train one epoch on features computed once."""
    out = tmp_path_factory.mktemp("runs") / "finished"
    trainer = train(out, tiny_bert, tokenizer_folder, frozen=True, epochs=1)
    assert isinstance(trainer.images, StoredImages)
    return out


def test_a_finished_run_is_not_trained_again(finished: Path, tiny_bert: Path, tokenizer_folder: Path) -> None:
    """Killed between the renames that put a new state in place, or after logging, a folder loses and gains nothing."""
    (finished / "state").rename(finished / ".state.old")
    before = metrics(finished)
    with (finished / "metrics.jsonl").open("a") as lines:
        lines.write('{"epoch": 1, "step": 999, "loss/total": 1.0}\n{"epoch": 1, "st')
    trainer = Trainer(tiny_run(tiny_bert, frozen=True, epochs=1), DATA, finished, tokenizer_folder)

    assert trainer.train().epoch == 1
    assert metrics(finished) == before


def test_a_folder_is_not_resumed_with_other_settings(finished: Path, tiny_bert: Path, tokenizer_folder: Path) -> None:
    """A state trained by other settings is refused, since the mixture would be neither run."""
    trainer = Trainer(tiny_run(tiny_bert, frozen=True, epochs=2), DATA, finished, tokenizer_folder)
    with refused(finished):
        trainer.train()


def test_training_stops_when_patience_runs_out(tmp_path: Path, tiny_bert: Path, tokenizer_folder: Path) -> None:
    """With nothing learnt, the first epoch stays the best and training ends ``patience`` epochs later."""
    run = tiny_run(tiny_bert, frozen=True, epochs=9, patience=2, encoder_lr=0.0, head_lr=0.0)
    progress = Trainer(run, DATA, tmp_path / "run", tokenizer_folder).train()
    assert (progress.best_epoch, progress.epoch) == (1, 3)

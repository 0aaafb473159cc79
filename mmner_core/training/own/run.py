"""Trains on a user's files: reads, announces the plan, trains, scores, saves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mmner_core.checkpoints.folder import read_checkpoint_object
from mmner_core.training.finish import write_checkpoint
from mmner_core.training.loop import TrainingProgress, note_run
from mmner_core.training.own.announce import announce
from mmner_core.training.own.measure import best_tagger, measure_own_training
from mmner_core.training.own.outcome import facts_of, last_lines, render_own_card
from mmner_core.training.own.plan import Plan, make_plan
from mmner_core.training.own.task import OwnTask
from mmner_core.training.own.trainer import OwnTrainer, measure_pace

NAME = "own"
"""What provenance calls such a run."""


def train_own(task: OwnTask, say: Callable[[str], None]) -> Path:
    """Train on a user's data, resuming what ``task.out`` holds, and write its ``checkpoint``.

    Args:
        task: what was asked.
        say: takes what the user is told: before training what will be done, after it what came of it.

    Returns:
        the checkpoint's folder.

    Raises:
        InputError: if data, checkpoint, preset or settings are not to be had or of no use, or the folder holds another
            run.
    """
    plan = make_plan(task)
    if (task.out / "run.json").is_file():
        note_run(task.out, plan.run, plan.mixture.digests)
    done = _epochs_done(plan)
    say(announce(plan, measure_pace(plan) if done is not None else None, epoch=done or 0))
    trainer = OwnTrainer(plan, task.out)
    progress = trainer.train()
    folder = task.out / "checkpoint"
    if trainer.accelerator.is_main_process:
        measured = measure_own_training(plan, best_tagger(trainer, plan.tokenizer), str(trainer.accelerator.device))
        write_checkpoint(
            trainer,
            progress,
            folder,
            plan.tokenizer,
            name=NAME,
            command=task.command,
            measured=measured,
            facts=facts_of(plan),
            card=render_own_card,
        )
        say(last_lines(plan, read_checkpoint_object(folder / "metrics.json")))
    return folder


def _epochs_done(plan: Plan) -> int | None:
    """Return how many epochs the folder's run has completed; None if it is finished."""
    file = plan.task.out / "state" / "progress.json"
    if not file.is_file():
        return 0
    progress, config = TrainingProgress.from_file(file), plan.run.training
    over = progress.epoch >= config.epochs or progress.epoch - progress.best_epoch >= config.patience
    return None if over else progress.epoch

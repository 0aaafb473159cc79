"""Announces what a run on a user's data will do and how long it will take."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from textwrap import fill

from mmner_core.data import Example
from mmner_core.data.type_names import count_types
from mmner_core.errors import listed
from mmner_core.text.language_names import LANGUAGES
from mmner_core.training.own.data import Part, sentences
from mmner_core.training.own.plan import Plan
from mmner_core.training.own.trainer import Pace

MINUTE, HOUR = 60, 3600
WIDTH, NAME_WIDTH = 110, 12
NAMED = 4
"""How many files are named."""
UNKNOWN = "unknown"
"""What stands for a language that nobody knows, here as in the records of ``evaluate``."""


def announce(plan: Plan, pace: Pace | None, *, epoch: int = 0) -> str:
    """Say it.

    Args:
        plan: the run.
        pace: how fast it goes; None: nothing is left to train.
        epoch: how many epochs are done already.
    """
    task, training = plan.task, plan.run.training
    begun = f"from {task.init}" if task.init is not None else f"model {task.preset}, from pretrained encoders"
    rows = [
        ("Training", _data(plan.data.train) + _left_out(plan) + _foreign(plan)),
        ("Validation", f"{_data(plan.data.valid)}; chooses the best epoch"),
        ("Test", f"{_data(plan.data.test)}; scored once, at the end" if plan.data.test else "none (--test)"),
        ("Names", _names(plan)),
        ("Photos", _photos(plan)),
        ("Learns", _learns(plan)),
        (
            "Settings",
            f"at most {training.epochs} epochs; up to {training.batch_sentences} sentences a step; learning rates "
            f"{training.encoder_lr:g} (encoders) and {training.head_lr:g}; stops after {training.patience} epochs "
            "without a better score (--set changes these)",
        ),
        ("Before", _before(plan)),
        ("Time", _time(plan, pace, epoch)),
        ("Writes", f"{task.out / 'checkpoint'}; stopped, the same command goes on from the last epoch"),
    ]
    return "\n".join([f"Training on your own data, {begun}:", *(_row(name, text) for name, text in rows)])


def _row(name: str, text: str) -> str:
    return fill(
        text,
        WIDTH,
        initial_indent=f"  {name:{NAME_WIDTH}}",
        subsequent_indent=" " * (NAME_WIDTH + 2),
        break_long_words=False,
        break_on_hyphens=False,
    )


def languages_of(examples: Sequence[Example]) -> Counter[str]:
    """Count the sentences of each language, the most frequent first."""
    counts = Counter(example.language or UNKNOWN for example in examples)
    return Counter(dict(counts.most_common()))


def duration(seconds: float) -> str:
    """Return a duration in words, rounded: "40 seconds", "3 minutes", "2.5 hours"."""
    if seconds >= HOUR:
        return f"{seconds / HOUR:.1f} hours"
    number, unit = (seconds / MINUTE, "minute") if seconds >= MINUTE else (seconds, "second")
    return f"{max(round(number), 1)} {unit}{'s' if round(number) > 1 else ''}"


def seconds_left(plan: Plan, pace: Pace, epoch: int = 0) -> float:
    """Estimate how long a run takes from some epoch on, if it does not stop early."""
    data, training = plan.mixture, plan.run.training
    photos = len({example.image for example in data.with_images()})
    valid = sum(map(len, data.valid.values()))
    final = 2 * (len(sentences(plan.data.test)) + len(sentences(plan.data.keep))) + 2 * valid
    per_epoch = pace.learnt * len(data.train) + pace.scored * valid
    return pace.photo * photos + per_epoch * (training.epochs - epoch) + pace.scored * final


def _data(part: Part) -> str:
    examples = sentences(part)
    languages = languages_of(examples)
    named = ", ".join(languages) if len(languages) == 1 else ", ".join(f"{k} {n:,}" for k, n in languages.items())
    return f"{len(examples):,} sentence{'s' if len(examples) > 1 else ''} ({named}) of {_files(part)}"


def _files(part: Part) -> str:
    names = list(part)
    more = [f"{len(names) - NAMED} more"] if len(names) > NAMED else []
    return ", ".join([*names[:NAMED], *more])


def _left_out(plan: Plan) -> str:
    n = plan.data.repeated
    return f"; {n:,} more also stand in the validation or test data and are left out" if n else ""


def _foreign(plan: Plan) -> str:
    foreign = [name for name in languages_of(sentences(plan.data.train)) if name not in (*LANGUAGES, UNKNOWN)]
    return f"; {listed(foreign)}: no language that the shipped model knows, so expect less" if foreign else ""


def _names(plan: Plan) -> str:
    counts = count_types(sentences(plan.data.train))
    text = ", ".join(f"{name} {n:,}{' (new)' if name in plan.new else ''}" for name, n in counts.most_common())
    if plan.absent:
        text += f"; none is {' or '.join(plan.absent)}, of which the checkpoint is left to know what it knows"
    return text


def _photos(plan: Plan) -> str:
    examples = sentences(plan.data.train)
    n = sum(example.image is not None for example in examples)
    gone = f"; {plan.data.missing:,} are named but not there" if plan.data.missing else ""
    if not n:
        return f"none{gone}{' (--images names their folder)' if gone else ''}"
    if not plan.sees:
        return f"not read: the model has no image encoder, though {n:,} sentences have one{gone}"
    return f"{n:,} of the {len(examples):,} training sentences have one{gone}"


def _learns(plan: Plan) -> str:
    trainable = plan.run.training.trainable
    if not trainable:
        return "all that the preset leaves free"
    parts = ", ".join(["text encoder", *(["fusion"] if "fusion." in trainable else []), "classifier", "CRF"])
    if plan.sees:
        return f"{parts}; the image encoder stays as it is"
    return f"{parts}; what only photos need stays as it is" if plan.run.model.fusion.streams else parts


def _before(plan: Plan) -> str:
    if plan.task.init is None:
        return "nothing known before"
    if plan.data.keep:
        return f"{_data(plan.data.keep)} are scored before and after, to see what is lost"
    return (
        "what the checkpoint knew before may be lost, and will not be measured; name its old validation data (--keep) "
        "to have it scored before and after"
    )


def _time(plan: Plan, pace: Pace | None, epoch: int) -> str:
    if pace is None:
        return "trained already; only the scores are computed again"
    text = f"about {duration(seconds_left(plan, pace, epoch))} on {pace.device}, by the first steps"
    per_epoch = pace.learnt * len(plan.mixture.train) + pace.scored * sum(map(len, plan.mixture.valid.values()))
    text += f" ({duration(per_epoch)} an epoch)"
    return f"{text}; {epoch} epochs are done" if epoch else text

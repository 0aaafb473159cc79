"""Reads training data for a run: the sentences as a stream, and which of their entities occur in the run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analysis.run.lexicon import Lexicon
from mmner_core.data import Example, dataset_digest, iter_examples
from mmner_core.errors import InputError
from mmner_core.runtime.streams import is_stream

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun


def train_examples(paths: Iterable[Path]) -> Iterator[Example]:
    """Yield the sentences of training files, and of the train split of folders."""
    for path in paths:
        if is_stream(path):
            raise InputError(f"{path} is a stream; training data is read more than once, so write it to a file first.")
        yield from iter_examples(path, split="train" if path.is_dir() else None)


def train_facts(paths: Sequence[Path]) -> dict[str, Any]:
    """Return the digest of each data set, for the provenance; empty where there is none."""
    return {"train": {str(path): dataset_digest(train_examples([path])) for path in paths}} if paths else {}


def lexicon_of(paths: Sequence[Path], run: EvaluationRun) -> Lexicon | None:
    """Return which entities of a run occur in the training data; None without training data."""
    return Lexicon.from_examples(train_examples(paths)).restrict(surfaces_of(run)) if paths else None


def surfaces_of(run: EvaluationRun) -> set[str]:
    """Return the surface forms of all gold and predicted entities of a run."""
    surfaces: set[str] = set()
    for condition in run.conditions:
        answers = run.answers(condition)
        for spans in (answers.gold, answers.predicted):
            surfaces.update(spans.texts(answers.words))
    return surfaces

"""Scores a trained cell on the test split: one run folder per cell and annotation convention, made once."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from analysis.experiment.cells import TrainedCell, digest_of
from analysis.run.evaluation_set import EvaluationSet, read_evaluation_set
from analysis.run.folder import PROVENANCE, EvaluationRun
from mmner_core.evaluation.evaluate import first_of_each_language

if TYPE_CHECKING:
    from mmner_core.data import Example
    from mmner_core.training.config import DataSource

log = logging.getLogger(__name__)
MATCHED, NONE = "matched", "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class TestSet:
    """Sentences to score cells on, all read by one annotation convention.

    Attributes:
        sentences: those of every data set, in order; ``sources`` names the data set of each.
        convention: None: the default of the model.
        has_images: whether any sentence has a photo.
    """

    __test__ = False  # no test of pytest's

    sentences: EvaluationSet
    convention: str | None
    has_images: bool


def read_test_sets(data: Path, sources: Sequence[DataSource], conventions: Sequence[str]) -> tuple[TestSet, ...]:
    """Read the test split of each data set, or the validation split of one that has no other.

    Args:
        data: folder that the data sets lie in.
        sources: the data sets; ``limit`` counts sentences per language.
        conventions: those that the model knows; others do not matter to it.

    Returns:
        One set per convention.

    Raises:
        InputError: if a data set is missing or malformed.
    """
    groups: dict[str | None, list[EvaluationSet]] = {}
    for source in sources:
        convention = source.convention if source.convention in conventions else None
        groups.setdefault(convention, []).append(_read(data, source))
    return tuple(
        TestSet(
            sentences=_joined(parts),
            convention=convention,
            has_images=any(e.image is not None and e.image.is_file() for part in parts for e in part.examples),
        )
        for convention, parts in groups.items()
    )


def unseen(test: TestSet, train: Iterable[Example]) -> TestSet:
    """Leave out the sentences that occur in training, except those shorter than ``LEAK_WORDS`` words."""
    from mmner_core.training.mixture import LEAK_WORDS

    seen = {e.words for e in train if len(e.words) >= LEAK_WORDS}
    sentences = test.sentences
    return replace(test, sentences=sentences.take([i for i, e in enumerate(sentences.examples) if e.words not in seen]))


class Scorer:
    """Writes run folders, and opens those written before.

    Args:
        folder: of the run folders.
        command: for the provenance.
    """

    def __init__(self, folder: Path, *, command: str) -> None:
        self.folder, self.command = folder, command

    def run(self, trained: TrainedCell, test: TestSet, conditions: Sequence[str]) -> EvaluationRun:
        """Tag the test set under each image condition that the cell can see, unless that was done before.

        Raises:
            InputError: if a gold tag is unknown to the model, or a run folder is damaged.
        """
        cell = trained.cell
        fused = bool(cell.run.model.fusion.streams)
        chosen = tuple(conditions) if fused and test.has_images else (NONE,)
        record = [cell.key, test.sentences.to_json(), test.convention, chosen]
        name = f"{cell.label.replace(' ', '-').replace('+', '-')}-seed{cell.seed}"
        suffix = digest_of(record)[:8]
        found = [path for path in sorted(self.folder.glob(f"*-{suffix}")) if (path / PROVENANCE).is_file()]
        if found:
            return EvaluationRun.open(found[0])
        log.info("%s, seed %d: scoring %d sentences", cell.label, cell.seed, len(test.sentences))
        return self._write(trained, test, chosen, self.folder / f"{name}-{suffix}")

    def _write(self, trained: TrainedCell, test: TestSet, conditions: tuple[str, ...], out: Path) -> EvaluationRun:
        from analysis.evaluation.job import Evaluation
        from analysis.evaluation.options import RunOptions
        from analysis.evaluation.workers import find_workers
        from mmner_core.inference.tagger import Tagger
        from mmner_core.runtime.memory import release_freed_memory

        out.parent.mkdir(parents=True, exist_ok=True)
        options = RunOptions(
            conditions=conditions, convention=test.convention, studies=False, maps=False, seed=trained.cell.seed
        )
        tagger = Tagger.load(trained.checkpoint, device=find_workers().device)
        Evaluation(tagger=tagger, data=test.sentences, out=out, options=options, command=self.command).run()
        del tagger
        release_freed_memory()
        return EvaluationRun.open(out)


def _read(data: Path, source: DataSource) -> EvaluationSet:
    found = read_evaluation_set(
        data / source.path,
        images=data / source.images if source.images is not None else None,
        pairs=data / source.pairs if source.pairs is not None else None,
    )
    found = found.take(first_of_each_language(found.examples, source.limit))
    examples = found.examples
    if source.images is None:
        examples = tuple(replace(example, image=None) for example in examples)
    return replace(found, examples=examples, sources=(source.path,) * len(examples))


def _joined(parts: Sequence[EvaluationSet]) -> EvaluationSet:
    facts = [part.facts for part in parts]
    return EvaluationSet(
        examples=tuple(e for part in parts for e in part.examples),
        kinds=tuple(kind for part in parts for kind in part.kinds),
        sources=tuple(source for part in parts for source in part.sources),
        irrelevant=tuple(dict.fromkeys(photo for part in parts for photo in part.irrelevant)),
        facts={
            "path": ", ".join(fact["path"] for fact in facts),
            "split": "/".join(dict.fromkeys(str(fact["split"]) for fact in facts)),
            "splits": {part.sources[0]: part.facts["split"] for part in parts if part.sources},
            "read": "; ".join(fact["read"] for fact in facts),
            "repaired_gold_tags": sum(fact["repaired_gold_tags"] for fact in facts),
        },
    )

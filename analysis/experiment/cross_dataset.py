"""``cross-dataset``: tests models on data sets that they were not trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.experiment.arms import FULL, TEXT_ONLY, ablations, chosen_arms
from analysis.experiment.counts import seed_score, sentence_counts
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.scoring import MATCHED, NONE, TestSet, unseen
from analysis.experiment.settings import tested_sources
from analysis.experiment.tables import ResultTable
from mmner_core.errors import InputError
from mmner_core.training.config import DataSource

QUESTION = "Does it hold on data that others annotated? The models of the ablation, on data sets they never saw."
USUAL = (
    DataSource(path="conll"),
    DataSource(path="wikineural"),
    DataSource(path="twitter2017", convention="caption"),
    DataSource(path="mmnerd", convention="caption"),
)
"""What is tested on unless files are given, as far as the data folder has them."""


def run(grid: Grid) -> Iterator[tuple[list[ArmResult], list[ResultTable]]]:
    """Train the full and the text-only model and score them; yield rows and tables whenever a seed is complete."""
    arms = chosen_arms(ablations(grid.base), grid.settings.variants or (FULL, TEXT_ONLY))
    given = grid.test_sets(sources_of(grid))
    train = [item.example for item in grid.trainer.mixture().train]
    tests = tuple(unseen(test, train) for test in given)
    repeated = {name: count for a, b in zip(given, tests, strict=True) for name, count in _fewer(a, b).items()}
    splits = {path: split for test in tests for path, split in test.sentences.facts["splits"].items()}
    conventions = {s: t.convention for t in tests for s in dict.fromkeys(t.sentences.sources)}
    for outcomes in grid.run(arms, tests, (MATCHED, NONE)):
        yield outcomes, tables(outcomes, splits, conventions, repeated)


def sources_of(grid: Grid) -> tuple[DataSource, ...]:
    """Return the data sets to test on: those requested, else the usual ones that exist.

    Raises:
        InputError: if none was asked for and none is there.
    """
    if grid.settings.test:
        return tested_sources(grid.settings, grid.base)
    data = grid.settings.data
    found = tuple(source for source in USUAL if (data / source.path).is_dir())
    if not found:
        names = ", ".join(source.path for source in USUAL)
        raise InputError(f"{data} holds none of {names}; name the data sets to test on with --test.")
    return found


def tables(
    outcomes: Sequence[ArmResult], splits: dict[str, str], conventions: dict[str, str | None], repeated: dict[str, int]
) -> list[ResultTable]:
    """Return F1 per data set and language.

    Args:
        outcomes: the rows of the grid.
        splits: the split that was read of each data set.
        conventions: the annotation convention that each was read by.
        repeated: how many sentences of each were left out since they are training sentences too.
    """
    frame = sentence_counts(outcomes[0].runs[0], MATCHED)
    places = frame[["source", "language"]].drop_duplicates().to_dict("records")
    rows = []
    for place in places:
        where = {"source": str(place["source"]), "language": str(place["language"])}
        for outcome in outcomes:
            found = seed_score(outcome, MATCHED, where)
            name = f"{where['source']} {where['language']} ({found.n_sentences:,} sentences)"
            rows.append({"data set": name, "variant": outcome.arm.name, **where, **found.to_row()})
    read = ", ".join(f"{path}: {split} split" for path, split in splits.items())
    by = ", ".join(f"{path} by {name}" for path, name in conventions.items() if name is not None)
    notes = [f"Read: {read}. Sentences without photo files are tagged without an image."]
    if by:
        notes.append(f"Annotation convention: {by}; the others by the model's default.")
    if repeated:
        counts = ", ".join(f"{count:,} of {path}" for path, count in repeated.items())
        notes.append(f"Left out, being in the training data too: {counts}.")
    return [
        ResultTable(
            id="f1",
            title="F1 by data set and language",
            frame=pd.DataFrame(rows),
            rows="data set",
            columns="variant",
            notes=tuple(notes),
        )
    ]


def _fewer(before: TestSet, after: TestSet) -> Counter[str]:
    """Count the sentences of each data set that were left out."""
    return Counter(before.sentences.sources) - Counter(after.sentences.sources)

"""``robustness``: tests with images that are corrupted, missing, irrelevant or misleading, after ordinary training."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.conditions.corruptions import CORRUPTIONS, SEVERITIES
from analysis.experiment.arms import FULL, ablations, chosen_arms
from analysis.experiment.counts import difference, seed_score, sentence_counts, slices
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.scoring import MATCHED, NONE
from analysis.experiment.tables import DIFFERENCE, F1, ResultTable
from mmner_core.errors import InputError

QUESTION = (
    "How much does a bad image cost? The full model, trained as usual, is shown its test photos as they are, none at "
    "all, corrupted ones, and other people's."
)
REPLACED = {
    MATCHED: "the sentence's own photo",
    NONE: "no photo (missing)",
    "blank": "even grey",
    "noise": "random pixels",
    "shuffled": "the photo of another sentence of the same language",
    "irrelevant": "a photo that shows none of the things named",
    "other_type": "misleading: the photo of a sentence whose names are all of other types",
}


def run(grid: Grid) -> Iterator[tuple[list[ArmResult], list[ResultTable]]]:
    """Train the full model and score it under every condition; yield rows and tables for the seeds so far."""
    if wrong := [s for s in grid.settings.severities if s not in SEVERITIES]:
        raise InputError(f"There is no severity {wrong[0]}; choose from 1 (mild) to 5 (drastic).")
    tests = grid.test_sets()
    replaced = [name for name in REPLACED if name != "irrelevant" or all(t.sentences.irrelevant for t in tests)]
    corrupted = [f"{name}-{severity}" for name in CORRUPTIONS for severity in grid.settings.severities]
    arms = chosen_arms(ablations(grid.base), grid.settings.variants or (FULL,))
    for outcomes in grid.run(arms, tests, (*replaced, *corrupted)):
        yield outcomes, [table for outcome in outcomes for table in tables(outcome, alone=len(outcomes) == 1)]


def tables(outcome: ArmResult, *, alone: bool = True) -> list[ResultTable]:
    """Return F1 under every condition, and the difference to the own photo on the same sentences."""
    conditions = list(outcome.runs[0][0].conditions)
    parts = slices(sentence_counts(outcome.runs[0], MATCHED), "source")
    f1, minus = [], []
    for condition in conditions:
        for where in parts:
            row = {"variant": outcome.arm.name, "condition": condition, **where}
            f1.append(row | seed_score(outcome, condition, where).to_row())
            if condition != MATCHED:
                cost = difference(outcome, condition, outcome, MATCHED, where)
                minus.append(row | cost.to_row(DIFFERENCE))
    suffix = "" if alone else f": {outcome.arm.name}"
    short = "" if alone else f"-{outcome.arm.name.replace(' ', '-')}"
    notes = tuple(f"*{name}*: {text}." for name, text in REPLACED.items() if name in conditions)
    if any("-" in name for name in conditions):
        notes = (*notes, "A corruption's number is its severity, 1 (mild) to 5 (drastic).")
    left_out = outcome.runs[0][0].provenance["conditions"]["skipped"]
    notes += tuple(f"*{name}* leaves out {_reasons(reasons)}." for name, reasons in left_out.items() if reasons)
    found = [_table(f"f1{short}", f"F1 by what is shown{suffix}", f1, F1, notes)]
    if minus:
        title = f"F1 minus F1 with the own photo, on the same sentences{suffix}"
        found.append(_table(f"difference{short}", title, minus, DIFFERENCE, ()))
    return found


def _table(
    table_id: str, title: str, rows: Sequence[dict[str, object]], quantity: str, notes: tuple[str, ...]
) -> ResultTable:
    return ResultTable(
        id=table_id,
        title=title,
        frame=pd.DataFrame(rows),
        rows="condition",
        columns="source",
        quantity=quantity,
        notes=notes,
    )


def _reasons(reasons: dict[str, int]) -> str:
    return ", ".join(f"{n:,} sentences ({reason})" for reason, n in reasons.items())

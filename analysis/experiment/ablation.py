"""``ablation``: measures what each part of the model contributes, in F1, in pointing and in the contrastive space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pandas as pd

from analysis.experiment.arms import FULL, SHARED_CNN, ablations, chosen_arms, shares_cnn
from analysis.experiment.attention_and_space import pointing_result_table, space_table
from analysis.experiment.counts import Slice, difference, seed_score, sentence_counts, slices
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.scoring import MATCHED, NONE
from analysis.experiment.tables import DIFFERENCE, F1, ResultTable
from analysis.scores.breakdowns import ALL

QUESTION = "What is each part of the model worth? One part at a time is taken away or exchanged, and trained anew."
CONDITIONS = (MATCHED, NONE, "shuffled")


def run(grid: Grid) -> Iterator[tuple[list[ArmResult], list[ResultTable]]]:
    """Train and score the variants; yield rows and tables whenever a seed is complete."""
    arms = chosen_arms(ablations(grid.base), grid.settings.variants)
    tests = grid.test_sets()
    for outcomes in grid.run(arms, tests, CONDITIONS):
        looking = (pointing_result_table(outcomes, tests), space_table(outcomes))
        yield outcomes, [*tables(outcomes), *(table for table in looking if table is not None)]


def tables(outcomes: Sequence[ArmResult]) -> list[ResultTable]:
    """Return F1 by data set and by language, the difference to the full model, and what the image adds."""
    frame = sentence_counts(outcomes[0].runs[0], MATCHED)
    by_source, by_language = slices(frame, "source"), slices(frame, "language")
    notes = tuple(f"*{o.arm.name}*: {o.arm.changes}." for o in outcomes)
    if any(o.arm.name == FULL and shares_cnn(o.arm.run.model) for o in outcomes):
        notes = (*notes, SHARED_CNN)
    found = [
        _table("f1", "F1 on test, with the image", scores(outcomes, by_source), "source", notes=notes),
        _table("languages", "F1 on test by language, with the image", scores(outcomes, by_language), "language"),
    ]
    full = next((o for o in outcomes if o.arm.name == FULL), None)
    others = [o for o in outcomes if o is not full]
    if full is not None and others:
        rows = [_difference(o, MATCHED, full, MATCHED, where) for o in others for where in by_source]
        title = "F1 minus that of the full model"
        found.append(_table("difference", title, pd.DataFrame(rows), "source", DIFFERENCE))
    seeing = [o for o in outcomes if all(MATCHED in r.conditions for runs in o.runs for r in runs)]
    if seeing:
        rows = [_difference(o, MATCHED, o, NONE, where) for o in seeing for where in by_source]
        title = "What the image adds: F1 with it minus F1 of the same model without"
        found.append(_table("image", title, pd.DataFrame(rows), "source", DIFFERENCE))
    return found


def scores(outcomes: Sequence[ArmResult], where: Sequence[Slice], condition: str = MATCHED) -> pd.DataFrame:
    """Return F1 of each row on each slice: variant, source or language, condition, f1, low, high, by_seed, n."""
    rows = []
    for outcome in outcomes:
        for part in where:
            found = seed_score(outcome, condition, part)
            rows.append({"variant": outcome.arm.name, "condition": condition, **part, **found.to_row()})
    return pd.DataFrame(rows)


def _difference(
    outcome: ArmResult, condition: str, reference: ArmResult, reference_condition: str, where: Slice
) -> dict[str, object]:
    found = difference(outcome, condition, reference, reference_condition, where)
    return {
        "variant": outcome.arm.name,
        "minus": reference.arm.name if reference is not outcome else reference_condition,
        **where,
        **found.to_row(DIFFERENCE),
    }


def _table(
    table_id: str, title: str, frame: pd.DataFrame, columns: str, quantity: str = F1, notes: tuple[str, ...] = ()
) -> ResultTable:
    sizes = frame.drop_duplicates(columns)
    counted = ", ".join(
        f"{'all together' if row[columns] == ALL else row[columns]} {row['n_sentences']:,} sentences with "
        f"{row['n_gold']:,} names"
        for row in sizes.to_dict("records")
    )
    return ResultTable(
        id=table_id,
        title=title,
        frame=frame,
        rows="variant",
        columns=columns,
        quantity=quantity,
        notes=(f"n: {counted}.", *notes),
    )

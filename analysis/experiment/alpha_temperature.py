"""``alpha-temperature``: the loss weight and the temperature, and whether a value makes the training collapse."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

from analysis.experiment.arms import FULL, chosen_arms, loss_knobs
from analysis.experiment.collapse import Space, measure_space, verdicts
from analysis.experiment.counts import difference, seed_score
from analysis.experiment.grid import ArmResult, Grid
from analysis.experiment.scoring import MATCHED, NONE
from analysis.experiment.tables import DIFFERENCE, NOTHING, ResultTable, with_interval
from analysis.scores.breakdowns import ALL

QUESTION = (
    "How delicate are the weight of the two losses (alpha) and the temperature? One at a time is changed; a training "
    "that collapsed is said to have."
)
NOTES = (
    "loss = 2 (alpha * tagger + (1 - alpha) * contrastive). *temperature*: at the end of training. *separation*: how "
    "often a matched pair of the test set is closer than a mismatched one (chance 0.50). *uniformity*: 0 when all "
    "vectors are one point, more negative when they are spread. *dominating share*: of the largest eigenvalue of the "
    "vectors' second moments, 1 when all lie on one line. *NT-Xent*: on test, beside what guessing costs (the "
    "logarithm of the candidates in a batch of 64 pairs). Means over the seeds.",
    "A training is said to have collapsed when F1 is below 1, a dominating share above 0.95 or a uniformity above "
    "\u22120.1; the contrastive loss taught nothing when separation is below 0.55 or NT-Xent above 98 % of guessing.",
)


def run(grid: Grid) -> Iterator[tuple[list[ArmResult], list[ResultTable]]]:
    """Train and score the values; yield rows and tables whenever a seed is complete."""
    arms = loss_knobs(grid.base, grid.settings.alphas, grid.settings.temperatures)
    for outcomes in grid.run(chosen_arms(arms, grid.settings.variants), grid.test_sets(), (MATCHED, NONE, "shuffled")):
        yield outcomes, tables(outcomes)


def tables(outcomes: Sequence[ArmResult]) -> list[ResultTable]:
    """Return F1, the contrastive space and the verdict of each value, and the difference to the preset."""
    full = next((o for o in outcomes if o.arm.name == FULL), None)
    frame = pd.DataFrame([_row(outcome) for outcome in outcomes])
    shown = {
        "F1": with_interval,
        "temperature": lambda r: _written(r["temperature"], 3),
        "separation": lambda r: _written(r["separation"], 2),
        "uniformity text / photo": lambda r: _two(r, "uniformity_text", "uniformity_image"),
        "dominating share text / photo": lambda r: _two(r, "dominating_text", "dominating_image"),
        "NT-Xent of guessing": lambda r: _two(r, "loss", "guessing", " of "),
        "collapse": lambda r: r["verdict"] or "none",
    }
    title = "F1 on test (all data sets together, with the image) and the contrastive space"
    found = [ResultTable(id="values", title=title, frame=frame, rows="variant", shown=shown, notes=NOTES)]
    others = [o for o in outcomes if o is not full]
    if full is not None and others:
        where = {"source": ALL}
        rows = [
            {"variant": o.arm.name, "minus": FULL} | difference(o, MATCHED, full, MATCHED, where).to_row(DIFFERENCE)
            for o in others
        ]
        minus = {"F1 minus the preset's": lambda r: with_interval(r, DIFFERENCE)}
        title = f"F1 minus that of the preset ({full.arm.changes})"
        found.append(ResultTable(id="difference", title=title, frame=pd.DataFrame(rows), rows="variant", shown=minus))
    return found


def _row(outcome: ArmResult) -> dict[str, Any]:
    found = seed_score(outcome, MATCHED, {"source": ALL})
    temperatures = [cell.facts["temperature"] for cell in outcome.cells]
    spaces = [measure_space(runs[0], t) for runs, t in zip(outcome.runs, temperatures, strict=True)]
    said = [
        verdict
        for f1, space in zip(found.by_seed, spaces, strict=True)
        for verdict in dict.fromkeys(verdicts(f1, space))
    ]
    known = [space for space in spaces if space is not None]
    numbers = {name: _mean([getattr(s, name) for s in known]) for name in Space.__slots__}
    return {
        "variant": outcome.arm.name,
        "changes": outcome.arm.changes,
        "alpha": outcome.arm.run.model.alpha,
        "temperature": _mean([t for t in temperatures if t is not None]),
        **found.to_row(),
        **numbers,
        "verdict": "; ".join(said),
    }


def _mean(values: Sequence[float]) -> float | None:
    return float(np.mean(values)) if values else None


def _written(value: float | None, digits: int) -> str:
    return NOTHING if value is None or pd.isna(value) else f"{value:.{digits}f}".replace("-", "\u2212")


def _two(record: dict[str, Any], first: str, second: str, between: str = " / ") -> str:
    if pd.isna(record[first]):
        return NOTHING
    return _written(record[first], 2) + between + _written(record[second], 2)

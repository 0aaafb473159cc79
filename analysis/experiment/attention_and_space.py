"""Measures where a trained cell's attention points, and what text search finds in its contrastive space."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from analysis.experiment.cells import digest_of
from analysis.experiment.grid import ArmResult
from analysis.experiment.tables import ResultTable
from analysis.report.files import write_text
from analysis.scores.breakdowns import ALL
from mmner_core.runtime.json_files import read_object

if TYPE_CHECKING:
    from analysis.experiment.cells import TrainedCell
    from analysis.experiment.scoring import TestSet

SENTENCES = 120
"""How many, as many of each type, see their photos in mosaics."""
LAYOUTS = {"two": "two photos (chance 50)", "four": "four photos (chance 25)"}
QUANTITIES = {"text_to_image@10": "recall@10, text to image", "separation": "separation (chance 50)"}
_REMEDY = "delete it to have it measured anew"
_SEEDS = "Means over the seeds, and of their 95 % intervals over sentences."


def pointing_result_table(outcomes: Sequence[ArmResult], tests: Sequence[TestSet]) -> ResultTable | None:
    """Return how often attention is highest on the right photo of several; None where no model has a map."""
    rows = [
        {"variant": outcome.arm.name, "layout": title, **_mean(found, "hit")}
        for outcome in outcomes
        for layout, title in LAYOUTS.items()
        if (found := [row for cell in outcome.cells for row in _pointing(cell, tests) if row["layout"] == layout])
    ]
    if not rows:
        return None
    title = "Where attention points: highest on the right photo of several in one image"
    note = f"n: {rows[0]['n']} sentences with one entity, `python -m analysis point --mosaics`. {_SEEDS}"
    return ResultTable(
        id="pointing", title=title, frame=pd.DataFrame(rows), rows="variant", columns="layout", quantity="hit",
        notes=(note,),
    )  # fmt: skip


def space_table(outcomes: Sequence[ArmResult]) -> ResultTable | None:
    """Return how well texts find their images in the contrastive space; None where no model has one."""
    rows = []
    for outcome in outcomes:
        measured = [row for runs in outcome.runs for run in runs for row in run.metrics.get("contrastive", ())]
        whole = [row for row in measured if row["language"] == row["pairs"] == ALL]
        for quantity, title in QUANTITIES.items():
            if found := [row for row in whole if row["quantity"] == quantity]:
                rows.append({"variant": outcome.arm.name, "quantity": title, **_mean(found, "value"), **_beside(found)})
    if not rows:
        return None
    first = rows[0]
    notes = (
        f"n: {first['n']:,} pairs, {first['gallery']:,.0f} images; recall by chance {100 * first['chance']:.1f}, by "
        f"knowing the type alone {100 * first['type_alone']:.1f}. {_SEEDS}",
    )
    return ResultTable(
        id="space", title="The contrastive space", frame=pd.DataFrame(rows), rows="variant", columns="quantity",
        quantity="value", notes=notes,
    )  # fmt: skip


def _pointing(cell: TrainedCell, tests: Sequence[TestSet]) -> list[dict[str, Any]]:
    """Measure a cell's attention on mosaics of the test photos, or read what was measured before."""
    sets = [test for test in tests if test.has_images]
    file = cell.checkpoint.parent / f"pointing-{digest_of([test.sentences.to_json() for test in sets])[:8]}.json"
    if not file.is_file():
        rows = _measure(cell, sets)
        write_text(file, json.dumps({"mosaics": rows}, indent=2) + "\n")
    rows = read_object(file, _REMEDY)["mosaics"]
    return [row for row in rows if (row["method"], row["type"]) == ("attention", ALL)]


def _measure(cell: TrainedCell, sets: Sequence[TestSet]) -> list[dict[str, Any]]:
    from analysis.heat_maps.explainer import ModelExplainer
    from analysis.heat_maps.measure import all_maps, measure_mosaics
    from analysis.heat_maps.mosaic_plan import plan_mosaics
    from mmner_core.inference.tagger import Tagger

    tagger = Tagger.load(cell.checkpoint)
    explainer, seed = ModelExplainer(tagger.model, tagger.subwords), cell.cell.seed
    if not explainer.grids:
        return []
    examples = [example for test in sets for example in test.sentences.examples]
    irrelevant = [known for test in sets for known in test.sentences.irrelevant_pairs]
    plan = plan_mosaics(examples, irrelevant=irrelevant, limit=SENTENCES, seed=seed)
    found: list[dict[str, Any]] = measure_mosaics(explainer, plan, all_maps(explainer, seed=seed), seed=seed)["mosaics"]
    return found


def _mean(rows: Sequence[Mapping[str, Any]], quantity: str) -> dict[str, Any]:
    """Return the means over seeds of a quantity and its interval, and the n of one of them."""
    names = (quantity, "low", "high")
    known = {name: [row[name] for row in rows if row[name] is not None] for name in names}
    return {name: sum(v) / len(v) if v else None for name, v in known.items()} | {"n": rows[0]["n"]}


def _beside(rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {name: rows[0][name] for name in ("gallery", "chance", "type_alone")}

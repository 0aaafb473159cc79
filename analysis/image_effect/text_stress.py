"""The cost of changed words: F1 under each text stress test minus F1 of the same sentences unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from analysis.conditions.conditions import STRESSED
from analysis.image_effect.modality import TEXT_ONLY, compare_slice, pair_conditions, slices_of
from analysis.scores.bootstrap import RESAMPLES
from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun

CLEAN = ("matched", TEXT_ONLY)
"""Under which condition the words stand as they are, with what changed words are shown: the first that a run has."""


def stress_table(
    run: EvaluationRun, *, rule: str = "strict", resamples: int = RESAMPLES, seed: int = 0
) -> pd.DataFrame:
    """Compare every change of the words with the unchanged words, per language and type and over all.

    Returns:
        condition, language, type, rule, n_sentences, n_changed (sentences of which a word is another one), n_gold,
        f1_clean, f1, difference with its paired bootstrap interval low, high, and of the gold entities lost (found in
        the words as they are only) and gained (found in the changed ones only). None is "not defined".

    Raises:
        InputError: if the run has no changed words, or not the same sentences with the words as they are.
    """
    stressed = [name for name in STRESSED if name in run.conditions]
    clean = next((name for name in CLEAN if name in run.conditions), None)
    if not stressed or clean is None:
        raise InputError(
            f"Run {run.name!r} holds no changed texts (lower_case, typos, ...); write it with --stress to see what "
            "they cost."
        )
    rows = []
    for condition in stressed:
        paired = pair_conditions(run, condition, clean, rule=rule, pictured=False)
        changed = paired.condition.changed()
        for language, mask, entity_type in slices_of(paired):
            row = compare_slice(paired, mask, entity_type, resamples=resamples, seed=seed)
            n_changed = int(np.count_nonzero(changed & mask))
            rows.append({"condition": condition, "language": language, "type": entity_type, **_renamed(row, n_changed)})
    return pd.DataFrame(rows)


def _renamed(row: dict[str, float | int | str | None], n_changed: int) -> dict[str, float | int | str | None]:
    kept = {name: row[name] for name in ("rule", "n_sentences", "n_gold", "f1", "difference", "low", "high")}
    return kept | {"n_changed": n_changed, "f1_clean": row["f1_baseline"], "lost": row["hurt"], "gained": row["helped"]}

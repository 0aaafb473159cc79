"""Reads the numbers that a run stores in its metrics.json.

Numbers that need a model (tests of heat maps, the pointing game) or other data (leakage, a temperature fitted on the
validation split) are stored only there; all others are read from there if they exist, and computed otherwise. The keys
are those of :mod:`analysis.evaluation.summary`, :mod:`analysis.heat_maps.study` and :mod:`analysis.heat_maps.measure`,
each a list of rows: scores, modality, modality_by_cosine, modality_by_kind, minimal_pairs, stress, shapley,
shapley_streams, contrastive, calibration, calibration_bins, leakage, maps, map_curves, map_sample, map_similarity,
pointing, mosaics, mosaics_left_out, boxes, boxes_left_out, boxes_outside. Runs of earlier versions lack map_sample,
stress and what follows pointing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pandas as pd

from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.run.folder import EvaluationRun


def optional_table(run: EvaluationRun, key: str) -> pd.DataFrame | None:
    """Return a stored table, None where the run has none or an empty one.

    Raises:
        InputError: if what is stored is no list of rows.
    """
    return run.remember(("stored", key), lambda: _read(run, key))


def table_of(run: EvaluationRun, key: str, compute: Callable[[], pd.DataFrame]) -> pd.DataFrame:
    """Return a stored table, or compute it once if the run has none."""
    stored = optional_table(run, key)
    return stored if stored is not None else run.remember(("computed", key), compute)


def stored_table(run: EvaluationRun, key: str, what: str, remedy: str) -> pd.DataFrame:
    """Return a stored table.

    Args:
        run: the run.
        key: in its metrics.json.
        what: the numbers in words, for the error message.
        remedy: how to get them, likewise.

    Raises:
        InputError: if the run has none.
    """
    table = optional_table(run, key)
    if table is None:
        raise InputError(f"Run {run.name!r} does not hold {what}; {remedy} to see this.")
    return table


def _read(run: EvaluationRun, key: str) -> pd.DataFrame | None:
    rows = run.metrics.get(key)
    if rows is None or rows == []:
        return None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise InputError(f"metrics.json of run {run.name!r}: {key!r} must be a list of rows; write the run anew.")
    table = pd.DataFrame(rows)
    # A column of nulls alone, or of nulls and numbers, must be numbers to be formatted and drawn as such.
    for name in table.columns:
        if (
            table[name]
            .map(lambda cell: cell is None or isinstance(cell, (int, float)) and not isinstance(cell, bool))
            .all()
        ):
            table[name] = pd.to_numeric(table[name])
    return table

"""The numbers that only a model can give, read from a run's metrics.json.

=================== ====================================================================================================
key                 rows of
=================== ====================================================================================================
modality            :func:`analysis.modality.modality_table`
leakage             :attr:`analysis.leakage.Leakage.counts`
maps                :func:`analysis.attribution.map_table`
map_curves          kind, method, share, value, low, high: mean curves of the maps' tests
contrastive         :func:`analysis.contrastive.contrastive_table`
pointing            :func:`analysis.pointing.pointing_table`
=================== ====================================================================================================

Each is a list of JSON objects, one per row.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from mmner_core.errors import InputError

if TYPE_CHECKING:
    from analysis.runs import Run


def optional_table(run: Run, key: str) -> pd.DataFrame | None:
    """Return a stored table, None where the run has none.

    Raises:
        InputError: if what is stored is no list of rows.
    """
    rows = run.metrics.get(key)
    if rows is None:
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


def stored_table(run: Run, key: str, what: str) -> pd.DataFrame:
    """Return a stored table.

    Args:
        run: the run.
        key: in its metrics.json.
        what: the numbers in words, for the error message.

    Raises:
        InputError: if the run has none.
    """
    table = optional_table(run, key)
    if table is None or table.empty:
        raise InputError(f"Run {run.name!r} does not hold {what}; write it from a checkpoint to see this.")
    return table

"""Counts the errors of each class per language: the table behind the bars."""

from __future__ import annotations

import numpy as np
import pandas as pd

from analysis.scores.matching import DETAILS, KINDS, Matches


def taxonomy_table(matches: Matches, languages: np.ndarray) -> pd.DataFrame:
    """Count groups and their entities by class.

    Args:
        matches: from :func:`analysis.scores.matching.match`.
        languages: [S] language of each sentence.

    Returns:
        language ("all" first), kind, detail, n_groups, n_gold, n_predicted, share (of the language's groups; missing
        where it has none). Every kind is listed for every language, boundary details where they occur. Over the rows
        of a language n_gold sums to its gold entities and n_predicted to its predicted ones.
    """
    groups = pd.DataFrame(
        {
            "language": languages[matches.sentence],
            "kind": matches.kind,
            "detail": matches.detail,
            "n_groups": 1,
            "n_gold": np.diff(matches.gold_rows)[:, 0],
            "n_predicted": np.diff(matches.predicted_rows)[:, 0],
        }
    )
    names = ["all", *sorted(set(languages))]
    # One empty row per language and kind keeps the zeros: "none missed" is a finding.
    zeros = pd.DataFrame([(n, k, 0, 0, 0, 0) for n in names for k in range(len(KINDS))], columns=groups.columns)
    counted = pd.concat([groups.assign(language="all"), groups, zeros])
    table = counted.groupby(["language", "kind", "detail"], as_index=False).sum()
    in_boundary = table["kind"].isin([KINDS.index("boundary"), KINDS.index("boundary and type")])
    has_details = table.groupby(["language", "kind"])["n_groups"].transform("sum") > 0
    table = table[~(in_boundary & has_details & (table["n_groups"] == 0))]
    order = table["language"].map(names.index)
    table = table.iloc[np.lexsort((table["detail"], table["kind"], order))].reset_index(drop=True)
    totals = table.groupby("language")["n_groups"].transform("sum")
    return table.assign(
        kind=np.array(KINDS, dtype=object)[table["kind"]],
        detail=np.array(DETAILS, dtype=object)[table["detail"]],
        share=table["n_groups"] / totals.where(totals > 0),
    )

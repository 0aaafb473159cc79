"""Categorical columns: few distinct values, with their order."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd


def from_codes(codes: np.ndarray, names: Sequence[str], *, ordered: bool = False) -> pd.Categorical:
    """Return the names that the codes stand for."""
    return pd.Categorical.from_codes(
        codes.astype(np.int64), categories=pd.Index(list(names), dtype=object), ordered=ordered
    )


def from_values(values: Sequence[str] | np.ndarray, names: Sequence[str]) -> pd.Categorical:
    """Return values with ``names`` as the order of categories; each value must be one of them."""
    index = {name: code for code, name in enumerate(names)}
    return from_codes(np.array([index[value] for value in values], dtype=np.int64), names)

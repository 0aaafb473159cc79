"""Break a table down into parts, such as languages, with all of them together first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pandas as pd

ALL = "all"
"""What a table calls all parts together, which come first."""


def by_part(
    names: Sequence[str] | np.ndarray | pd.Series, *, unnamed: bool = False
) -> Iterator[tuple[str, np.ndarray]]:
    """Yield "all" with every row, then each part with its own rows, [N] bool, in alphabetical order.

    Args:
        names: of the part that each of N rows belongs to.
        unnamed: whether "" is a part as well; otherwise such rows count only over all.
    """
    names = np.asarray(names, dtype=object)
    yield ALL, np.ones(len(names), dtype=bool)
    for name in sorted(set(names) - (set() if unnamed else {""})):
        yield name, names == name

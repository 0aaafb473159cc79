"""Writes numbers for sentences: counts, intervals, shares."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pandas as pd

from mmner_core.text.language_names import LANGUAGE_NAMES

_NAMES = {"all": "all languages", **LANGUAGE_NAMES, "": "unknown"}


def language_label(code: str) -> str:
    """Return a language in words; a code that is not ours stays as it is."""
    return _NAMES.get(code, code)


def number(value: float | None, digits: int = 3, sign: bool = False) -> str:
    """Write a number, or "not defined"."""
    if value is None or pd.isna(value):
        return "not defined"
    return format(value, f"{'+' if sign else ''}.{digits}f")


def with_interval(row: pd.Series, value: str = "f1", sign: bool = False) -> str:
    """Write a value of a table with its interval, where it has one."""
    text = number(row[value], sign=sign)
    if pd.isna(row["low"]) or pd.isna(row["high"]):
        return text
    return f"{text} ({number(row['low'], sign=sign)} to {number(row['high'], sign=sign)})"


def counted(n: int, thing: str, things: str = "") -> str:
    """Write a number with its noun: "1 sentence", "2,000 sentences"."""
    return f"{n:,} {thing if n == 1 else things or thing + 's'}"


def extremes(table: pd.DataFrame, value: str, name: Callable[[pd.Series], str], sign: bool = False) -> str:
    """Return a sentence on the highest and the lowest row; empty where no value is defined."""
    known = table[table[value].notna()]
    if known.empty:
        return "No value is defined."
    ordered = known.sort_values(value, kind="stable")
    high, low = ordered.iloc[-1], ordered.iloc[0]
    if len(known) == 1:
        return f"{name(high)}: {with_interval(high, value, sign)}."
    return (
        f"Highest: {name(high)}, {with_interval(high, value, sign)}. Lowest: {name(low)}, "
        f"{with_interval(low, value, sign)}."
    )


def join_with_and(parts: Sequence[str]) -> str:
    """Join parts as in a sentence: "a, b and c"."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)

"""Converts tables to JSON: a list of rows, with null for whatever is not defined."""

from __future__ import annotations

import json
from typing import Any

import pandas as pd

_DIGITS = 10


def to_records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a table, JSON-ready."""
    records: list[dict[str, Any]] = json.loads(frame.to_json(orient="records", double_precision=_DIGITS))
    return records

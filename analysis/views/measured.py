"""Measurements stored with a model: how well its heat maps point, and how badly a pair may match.

It is read from the checkpoint's ``metrics.json``, which anybody may have written: what is not of the expected form is
as good as not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

LAYOUT, OVERALL = "two", "all"
"""The row that is shown: of photos made of two photos, over all types."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """How often the brightest place of a kind of map lies in the right one of two photos, 0 to 1; and by chance."""

    hit: float
    chance: float

    @property
    def phrase(self) -> str:
        """Say it in a few words."""
        return f"points right in {self.hit:.0%} of two-photo mosaics, chance {self.chance:.0%}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What a model's files say of it.

    Attributes:
        pointing: by method, "attention", "gradient", "occlusion" and others.
        low_match: cosine of text and photo below which one in ten matching pairs lies; None where it is not known.
    """

    pointing: Mapping[str, Pointing] = field(default_factory=dict)
    low_match: float | None = None

    @classmethod
    def read(cls, metrics: Mapping[str, Any]) -> Measured:
        """Read ``pointing``, what ``python -m analysis point --mosaics --json`` prints or its rows, and ``match``."""
        rows, match = metrics.get("pointing"), metrics.get("match")
        rows = rows.get("mosaics") if isinstance(rows, dict) else rows
        low = match.get("low") if isinstance(match, dict) else None
        return cls(
            pointing={
                str(row["method"]): Pointing(hit=row["hit"], chance=row["chance"])
                for row in (rows if isinstance(rows, list) else ())
                if isinstance(row, dict) and _is_shown(row)
            },
            low_match=low if _is_number(low, -1) else None,
        )


def _is_shown(row: Mapping[str, Any]) -> bool:
    shown = row.get("layout") == LAYOUT and row.get("type") == OVERALL and "method" in row
    return shown and _is_number(row.get("hit"), 0) and _is_number(row.get("chance"), 0)


def _is_number(value: object, least: float) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= 1

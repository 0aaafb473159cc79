"""Measurements stored with a model: how well its heat maps point, and how badly a pair may match.

It is read from the checkpoint's ``metrics.json``, which anybody may have written: what is not of the expected form is
as good as not there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

_GAMES = {"boxes": (None, "photos with boxes"), "mosaics": ("two", "two-photo mosaics")}
"""The layout whose row is shown, and what it is about; the last game that measured a method counts."""
_OVERALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pointing:
    """How often the brightest place of a kind of map lies in the right part of ``of``, 0 to 1; and by chance."""

    hit: float
    chance: float
    of: str

    @property
    def phrase(self) -> str:
        """Say it in a few words."""
        return f"points right in {self.hit:.0%} of {self.of}, chance {self.chance:.0%}"


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
        """Read ``pointing``, what ``python -m analysis point --json`` prints or its rows of mosaics, and ``match``."""
        games, match = metrics.get("pointing"), metrics.get("match")
        games = games if isinstance(games, dict) else {"mosaics": games}
        low = match.get("low") if isinstance(match, dict) else None
        return cls(
            pointing={
                str(row["method"]): Pointing(hit=row["hit"], chance=row["chance"], of=of)
                for game, (layout, of) in _GAMES.items()
                for row in (games[game] if isinstance(games.get(game), list) else ())
                if isinstance(row, dict) and _is_shown(row, layout)
            },
            low_match=low if _is_number(low, -1) else None,
        )


def _is_shown(row: Mapping[str, Any], layout: str | None) -> bool:
    shown = row.get("layout") == layout and row.get("type") == _OVERALL and "method" in row
    return shown and _is_number(row.get("hit"), 0) and _is_number(row.get("chance"), 0)


def _is_number(value: object, least: float) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= 1

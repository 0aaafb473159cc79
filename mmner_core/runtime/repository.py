"""The path of this repository."""

from __future__ import annotations

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
SHIPPED = REPOSITORY / "checkpoints" / "mini"
"""The trained model that comes with the program."""
